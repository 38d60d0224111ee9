"""Documents -> stand-alone Python functions with docstrings, of which some have doctests: raw material for problems.

A function stands alone where it needs nothing of its file but imports: what Chen et al. 2021, section 4, fine-tune on.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import tree_sitter_python
from tree_sitter import Language, Node, Parser

from tabwright.corpus.errors import CorpusError
from tabwright.corpus.passes.storage import write_table

_PARSER = Parser(Language(tree_sitter_python.language()))
_IMPORTS = {"import_statement", "import_from_statement", "future_import_statement"}
SCHEMA = pa.schema(
    [(name, pa.string()) for name in ("name", "signature", "docstring", "body", "imports")]
    + [("has_doctest", pa.bool_())]
    + [(name, pa.string()) for name in ("path", "repository", "revision", "licence", "sha256")]
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Function:
    """One function.

    Attributes:
        signature: from `def`, decorators before it, to the colon.
        docstring: with its quotes, as it stands in the file.
        body: what follows the docstring.
        imports: the file's import statements that it needs, one a line.
        has_doctest: whether the docstring shows calls after `>>>`.
    """

    name: str
    signature: str
    docstring: str
    body: str
    imports: str
    has_doctest: bool


def functions_of(text: str) -> Iterator[Function]:
    """Yield the stand-alone functions of a Python file that have a docstring and do something, in its order."""
    source = text.encode()
    root = _PARSER.parse(source).root_node
    imports = {name: node for node in root.named_children if node.type in _IMPORTS for name in _bound(node)}
    own = {name for node in root.named_children if node.type not in _IMPORTS for name in _bound(node)}
    for node in root.named_children:
        definition = node.child_by_field_name("definition") if node.type == "decorated_definition" else node
        if definition is None or definition.type != "function_definition" or definition.has_error:
            continue
        body, name = definition.child_by_field_name("body"), _text(definition.child_by_field_name("name"))
        if body is None or body.named_child_count < 2 or (docstring := _docstring(body.named_children[0])) is None:
            continue
        used = set(_names(node))
        if used & (own - {name}):
            continue
        needed = {imports[word].start_byte: _text(imports[word]) for word in used & imports.keys()}
        yield Function(
            name=name,
            signature=source[node.start_byte : body.start_byte].decode().rstrip(),
            docstring=docstring,
            body=source[body.named_children[0].end_byte : definition.end_byte].decode().strip("\n"),
            imports="\n".join(needed[start] for start in sorted(needed)),
            has_doctest=">>>" in docstring,
        )


def extract_functions(corpus: Path, out: Path) -> tuple[int, int]:
    """Write the functions of a corpus's Python documents to a Parquet file; return how many, and with doctests.

    Args:
        corpus: what `build_corpus` wrote.
        out: the file, which must not exist yet.

    Raises:
        CorpusError: the folder is no finished corpus, or the file exists.
    """
    parts = sorted((corpus / "documents").glob("*.parquet"))
    if not (corpus / "report.json").is_file():
        raise CorpusError(f"{corpus}: is no finished corpus; build one with `tabwright corpus build`")
    if out.exists():
        raise CorpusError(f"{out}: exists already; remove it, or name another file")
    counts = [0, 0]

    def groups() -> Iterator[pa.Table]:
        for part in parts:
            rows = list(_rows(part))
            counts[0] += len(rows)
            counts[1] += sum(bool(row["has_doctest"]) for row in rows)
            yield pa.Table.from_pylist(rows, schema=SCHEMA)

    write_table(out, groups(), SCHEMA)
    return counts[0], counts[1]


def _rows(part: Path) -> Iterator[dict[str, object]]:
    wanted = ["text", "language", "path", "repository", "revision", "licence", "sha256"]
    for row in pq.read_table(part, columns=wanted).to_pylist():
        if row.pop("language") != "Python":
            continue
        for function in functions_of(row.pop("text")):
            yield {name: getattr(function, name) for name in Function.__slots__} | row


def _bound(node: Node) -> Iterator[str]:
    """Yield the names that a statement of a module gives a meaning to."""
    if node.type in _IMPORTS:
        for child in node.children_by_field_name("name"):
            alias = child.child_by_field_name("alias")
            yield _text(alias) if alias is not None else _text(child).split(".")[0]
    elif node.type in ("function_definition", "class_definition"):
        yield _text(node.child_by_field_name("name"))
    elif node.type == "decorated_definition":
        yield from _bound(node.named_children[-1])
    else:  # assignments, also those within `if` and `try`, and imports there
        for child in node.named_children:
            if child.type == "assignment":
                yield from _names(child.child_by_field_name("left"))
            else:
                yield from _bound(child)


def _names(node: Node | None) -> Iterator[str]:
    """Yield every name that stands in a piece of code, but for those of attributes."""
    if node is None:
        return
    if node.type == "identifier":
        yield _text(node)
    for child in node.named_children:
        if not (node.type == "attribute" and child == node.child_by_field_name("attribute")):
            yield from _names(child)


def _docstring(node: Node) -> str | None:
    """Return the text of a statement that is a string and nothing else."""
    if node.type == "expression_statement" and [child.type for child in node.named_children] == ["string"]:
        return _text(node)
    return None


def _text(node: Node | None) -> str:
    return (node.text or b"").decode() if node is not None else ""
