"""The end of a block: told in every language, however the text arrives, and never inside of a string or comment."""

from __future__ import annotations

import pytest

from tabwright.sampling.blocks import Block, BlockMatcher


def run(block: Block | None, pieces: list[str]) -> tuple[str, bool]:
    matcher = BlockMatcher(block)
    shown = "".join(matcher.push(piece) for piece in pieces)
    return shown + matcher.flush(), matcher.stopped


@pytest.mark.parametrize(
    ("lexer", "before", "text", "rest"),
    [
        ("cpp", "int f(int n){\n", "    if (n) { return 1; }\n    return 0;\n}", "\nint main() {}\n"),
        ("cpp", "int f(){ // {\n", "    char c = '}'; // }\n    return 1; /* } */\n}", "\n"),
        ("java", "class Solution {\n    int f() {\n", '        return "}".length();\n    }\n}', "\nclass Main {}\n"),
        ("javascript", "const f = (n) => {\n", "  const s = `{${n}}`\n  return /[}]/.test(s)\n}", "\n\nf(1)\n"),
        ("go", "func f() string {\n", '    return fmt.Sprintf("{%d}", 1)\n}', "\nfunc main() {\n"),
        ("go", "func f() string {\n", "    return `}\n}`\n}", "\n"),
        ("rust", "fn f<'a>(s: &'a str) -> char {\n", "    let c = '}'; let t = \"}\n}\";\n    c\n}", "\nfn g() {}\n"),
    ],
)
def test_a_sample_ends_with_the_block_that_was_open(lexer: str, before: str, text: str, rest: str) -> None:
    block = Block(before=before, lexer=lexer)
    assert run(block, [text + rest]) == (text, True)
    assert run(block, list(text + rest)) == (text, True)
    assert run(block, [text]) == (text, True)
    assert run(block, [text[:-1]]) == (text[:-1], False)


def test_a_function_that_was_called_before_it_is_written_belongs_to_the_sample() -> None:
    block = Block(before="func Even(n int) bool {\n", lexer="go")
    helper = "\n\n// half of it\nfunc half(n int) int {\n    return n / 2\n}"
    text = f"    return half(n)*2 == n\n}}{helper}"
    for rest in ("", "\n", "\n\nfunc main() {\n    Even(2)\n}\n", "\n\nfunc Even(n int) bool {\n"):
        assert run(block, [text + rest]) == (text, True)
        assert run(block, list(text + rest)) == (text, True)


def test_without_a_block_nothing_is_cut() -> None:
    assert run(None, ["}", "}\n}"]) == ("}}\n}", False)
