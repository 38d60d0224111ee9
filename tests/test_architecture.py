"""The design, held by a test: who may import whom, how large a file may grow, where a family's name may stand."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "tabwright"
FILES = sorted(SOURCE.rglob("*.py"))

# What each package may import of the others; `download` and `ray_cluster` are leaves (docs/decisions/0003).
ARROWS: dict[str, set[str]] = {
    "records": set(),
    "download": set(),
    "ray_cluster": set(),
    "corpus": {"records", "ray_cluster"},
    "tokens": {"records"},
    "model": set(),
    "training": {"model", "tokens"},
    "sampling": {"model", "tokens", "records", "download"},
    "sandbox": set(),
    "evaluation": {"records", "sandbox", "ray_cluster"},
    "assistant": {"sampling", "sandbox", "records"},
    "serving": {"assistant", "sampling"},
    "editor": set(),
    "recipe": set(),
    "cli": {
        "records", "download", "corpus", "tokens", "model", "training", "sampling",
        "sandbox", "evaluation", "assistant", "serving", "editor", "recipe", "ray_cluster",
    },
}  # fmt: skip
TORCH_FREE = {"corpus", "sandbox", "evaluation", "assistant", "serving", "editor", "records", "download"}
MAX_LINES, MAX_FUNCTION_LINES, MAX_FILES = 400, 60, 12
FAMILIES = re.compile(r"codex|code[-_ ]?llama|codegeex|chatglm|qwen|smollm|starcoder", re.IGNORECASE)
# Places that may name a family: those of the design, and protocols or papers that go by such a name.
FAMILY_PLACES = re.compile(r"model/families\.py|model/weights/|tokens/|serving/protocols/codegeex\.py|__init__\.py")


def package_of(path: Path) -> str:
    return path.relative_to(SOURCE).parts[0].removesuffix(".py")


def imports_of(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_imports_follow_the_arrows(path: Path) -> None:
    package = package_of(path)
    if package in ("__init__", "__main__"):
        return
    for name in imports_of(path):
        parts = name.split(".")
        if parts[0] == "tabwright" and len(parts) > 1 and parts[1] != package:
            assert parts[1] in ARROWS[package], f"{package} may not import {name}"
        if package in TORCH_FREE:
            assert parts[0] != "torch", f"{package} may not import torch"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_files_and_functions_stay_small(path: Path) -> None:
    text = path.read_text()
    assert text.count("\n") <= MAX_LINES
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            assert length <= MAX_FUNCTION_LINES, f"{node.name} has {length} lines"


def test_packages_stay_small() -> None:
    for folder in {path.parent for path in FILES if path.parent != SOURCE}:
        files = list(folder.glob("*.py"))
        assert len(files) <= MAX_FILES, f"{folder.name} has {len(files)} files"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_no_behaviour_hangs_on_a_family_s_name(path: Path) -> None:
    """A family's name may stand in comments and docstrings, not in code, outside its own places."""
    if FAMILY_PLACES.search(str(path.relative_to(SOURCE))):
        return
    tree = ast.parse(path.read_text())
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    docstrings = {id(node.body[0].value) for node in ast.walk(tree) if isinstance(node, documented) and _has_doc(node)}  # type: ignore[attr-defined]
    for node in ast.walk(tree):
        name = getattr(node, "id", None) or getattr(node, "attr", None) or getattr(node, "name", None)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            name = node.value
        assert not (isinstance(name, str) and FAMILIES.search(name)), f"line {getattr(node, 'lineno', 0)}: {name}"


def _has_doc(node: ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return ast.get_docstring(node, clean=False) is not None


def test_no_file_is_named_for_nothing() -> None:
    assert not [path for path in FILES if path.stem in {"utils", "common", "helpers", "misc"}]


def test_package_docstrings_say_what_each_is_for() -> None:
    for path in FILES:
        assert ast.get_docstring(ast.parse(path.read_text())), f"{path} has no docstring"


@pytest.mark.parametrize("command", [["-c", "import tabwright"], ["-m", "tabwright", "--help"]])
def test_the_command_line_starts_without_heavy_imports(command: list[str]) -> None:
    """What makes `--help` slow is imports; which ones there are does not depend on how busy the machine is."""
    result = subprocess.run(
        [sys.executable, "-X", "importtime", *command], capture_output=True, text=True, check=True, cwd=ROOT
    )
    loaded = {line.rsplit("|", 1)[-1].strip().split(".")[0] for line in result.stderr.splitlines()}
    assert not loaded & {"torch", "numpy", "xllamacpp", "fastapi", "httpx", "huggingface_hub", "openai"}
