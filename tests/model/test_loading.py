"""Loading holds little more than the weights themselves."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from tests.model.conftest import CONFIGS

from tabwright.model.checkpoint import save
from tabwright.model.decoder import Decoder
from tabwright.model.export import export_hugging_face

CODE = """
import sys
from pathlib import Path
import torch
from tabwright.model.checkpoint import open_checkpoint
from tabwright.model.quantised import quantising

def load(path):
    return open_checkpoint(Path(path)).load(place=quantising(bits, torch.bfloat16) if bits else None)
def memory(key):
    return int(next(line for line in open("/proc/self/status") if line.startswith(key)).split()[1]) * 1024
bits = int(sys.argv[3])
load(sys.argv[1])  # what torch loads and makes once
Path("/proc/self/clear_refs").write_text("5")  # the peak is counted anew
before = memory("VmRSS")
decoder = load(sys.argv[2])
print(memory("VmHWM") - before)
"""


@pytest.mark.parametrize("layout", ["ours", "hugging face"])
@pytest.mark.parametrize(("bits", "kept", "in_work"), [(0, 1.0, 1), (8, 0.25, 8)])
def test_memory_stays_near_what_is_kept(layout: str, bits: int, kept: float, in_work: int, tmp_path: Path) -> None:
    """Of fp32 weights all or a quarter are kept; the largest matrix is in work in a few copies."""
    config = replace(CONFIGS["rotary"], d_model=1024, d_head=256, d_ff=4096, n_layers=6, vocab_size=2000)
    write = save if layout == "ours" else partial(export_hugging_face, shard_bytes=100 << 20)
    write(Decoder(replace(config, n_layers=1, vocab_size=64)), tmp_path / "small")
    write(Decoder(config), tmp_path / "large")
    size = sum(path.stat().st_size for path in (tmp_path / "large").glob("*.safetensors"))
    assert size > 300 << 20
    done = subprocess.run(
        [sys.executable, "-c", CODE, str(tmp_path / "small"), str(tmp_path / "large"), str(bits)],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    largest = 2 * config.d_ff * config.d_model * 4
    assert largest < 0.1 * size
    assert json.loads(done.stdout) < kept * size + in_work * largest
