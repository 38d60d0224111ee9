"""`tabwright models import` and `export`, as a person calls them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from tabwright.model.checkpoint import open_checkpoint
from tabwright.model.export import export_hugging_face
from tests.cli.conftest import Run
from tests.model.conftest import BASE, random_decoder
from tests.tokens.conftest import byte_level

__all__ = ["byte_level"]  # a fixture


@pytest.fixture
def folder(tmp_path: Path, byte_level: Path) -> Path:
    """A model's folder in Hugging Face's layout, as it would be downloaded."""
    export_hugging_face(random_decoder(replace(BASE, vocab_size=928, d_model=64, d_head=16)), tmp_path / "hub")
    for path in byte_level.iterdir():
        (tmp_path / "hub" / path.name).write_bytes(path.read_bytes())
    return tmp_path


def test_in_and_out_again(tabwright: Run, folder: Path) -> None:
    done = tabwright("models", "import", "hub", "--to", "ours")
    assert (done.returncode, done.stdout) == (0, "ours\n"), done.stderr
    assert json.loads((folder / "ours/config.json").read_text())["d_model"] == 64
    done = tabwright("models", "export", "ours", "--to", "theirs")
    assert done.returncode == 0, done.stderr
    hub, theirs = folder / "hub/model.safetensors", folder / "theirs/model.safetensors"
    assert hub.read_bytes() == theirs.read_bytes()
    assert theirs.stat().st_mode & 0o777 == 0o644
    transformers = pytest.importorskip("transformers")
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder / "theirs")
    ids = tokenizer("def add(a, b):", return_tensors="pt").input_ids
    model = transformers.AutoModelForCausalLM.from_pretrained(folder / "theirs")
    with torch.inference_mode():
        error = (model(ids).logits - open_checkpoint(folder / "ours").load()(ids)).abs().max()
    assert error < 1e-4


def test_gguf_comes_out_whole_and_runs(tabwright: Run, folder: Path) -> None:
    done = tabwright("models", "export", "hub", "--to", "small.gguf", "--quantize", "q8_0")
    assert done.returncode == 0, done.stderr
    shown = tabwright("models", "show", str(folder / "small.gguf")).stdout
    assert "Q8_0" in shown
    assert "<|fim_prefix|> <|fim_suffix|> <|fim_middle|>" in shown
    assert "chat template   yes" in shown
    (folder / "open.py").write_text("def add(a, b):\n    return ")
    done = tabwright("complete", "--model", str(folder / "small.gguf"), "--max-tokens", "4", "open.py")
    assert done.returncode == 0, done.stderr
    again = tabwright("models", "import", "small.gguf", "--to", "back")
    assert again.returncode == 0, again.stderr
    assert {path.name for path in (folder / "back").iterdir()} >= {"config.json", "model.safetensors", "tokenizer.json"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("import", "nothing", "--to", "x"), "nothing: no such folder"),
        (("import", "hub", "--to", "hub"), "hub: is there already; name another --to, or remove it"),
        (("export", "bare", "--to", "x.gguf"), "bare: has no tokenizer; expected tokenizer.json"),
        (("export", "hub", "--to", "there.gguf"), "there.gguf: is there already; name another --to, or remove it"),
        (("export", "hub", "--to", "x", "--quantize", "q4_0"), "--quantize q4_0: is for GGUF; --to x names a folder"),
        (("export", "hub", "--to", "x", "--tokenizer", "hub/typo"), "--tokenizer hub/typo: no such folder or file"),
        (("import", "hub", "--to", "there.gguf/x"), "--to there.gguf/x: cannot be written"),
        (("export", "broken", "--to", "x"), "the weights do not fit the configuration: wrong shape: lm_head.weight"),
    ],
)
def test_wrong_arguments_are_one_line_and_leave_nothing(
    tabwright: Run, folder: Path, arguments: tuple[str, ...], message: str
) -> None:
    for name in ("bare", "broken"):
        (folder / name).mkdir()
        for file in ("config.json", "model.safetensors"):
            (folder / name / file).write_bytes((folder / "hub" / file).read_bytes())
    (folder / "there.gguf").write_text("")
    config = json.loads((folder / "hub/config.json").read_text())
    (folder / "broken/config.json").write_text(json.dumps(config | {"vocab_size": 900}))
    before = sorted(path.name for path in folder.iterdir())
    done = tabwright("models", *arguments)
    assert done.returncode == 2
    assert message in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr
    assert sorted(path.name for path in folder.iterdir()) == before


def test_weights_without_a_tokenizer_are_taken_with_a_note(tabwright: Run, folder: Path) -> None:
    (folder / "hub/tokenizer.json").unlink()
    done = tabwright("models", "import", "hub", "--to", "ours")
    assert done.returncode == 0
    assert "note: hub: has no tokenizer" in done.stderr
