"""Conversations by a template: a model's own, or one that the package brings."""

from __future__ import annotations

from pathlib import Path

import pytest

from tabwright.sampling import Message, PromptError
from tabwright.sampling.torch_engine.templates import render_chat
from tabwright.tokens import TokenizerError
from tabwright.tokens.opening import write_chat_template


def turns(*said: str) -> list[Message]:
    roles = {"s": "system", "u": "user", "a": "assistant"}
    return [Message(role=roles[text[0]], content=text[2:]) for text in said]  # type: ignore[arg-type]


@pytest.fixture
def template(tmp_path: Path) -> str:
    write_chat_template("llama-instruct", tmp_path)
    return (tmp_path / "chat_template.jinja").read_text()


@pytest.mark.parametrize(
    ("messages", "expected"),
    [
        (turns("u:one"), "<s>[INST] one [/INST]"),
        (turns("s:be brief", "u:one"), "<s>[INST] <<SYS>>\nbe brief\n<</SYS>>\n\none [/INST]"),
        (
            turns("s:be brief", "u:one", "a:two", "u:three"),
            "<s>[INST] <<SYS>>\nbe brief\n<</SYS>>\n\none [/INST] two </s><s>[INST] three [/INST]",
        ),
    ],
)
def test_llama_s_instruct_format(template: str, messages: list[Message], expected: str) -> None:
    assert render_chat(template, messages, bos="<s>", eos="</s>") == expected


def test_turns_out_of_order_are_refused(template: str) -> None:
    with pytest.raises(PromptError, match="refuses the messages: turns must go user, assistant, user"):
        render_chat(template, turns("u:one", "u:two"), bos="", eos="")


def test_a_template_can_do_nothing_but_text() -> None:
    for wrong in ("{{ ''.__class__.__mro__ }}", "{% for"):
        with pytest.raises(PromptError, match="chat template"):
            render_chat(wrong, turns("u:x"), bos="", eos="")


def test_an_unknown_template_is_named(tmp_path: Path) -> None:
    with pytest.raises(TokenizerError, match="chat template: got 'no'; known are llama-instruct"):
        write_chat_template("no", tmp_path)
