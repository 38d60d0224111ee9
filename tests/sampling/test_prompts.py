"""Prompts as ids, laid out as the published models were trained: real tokenizers, the texts of real formats."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from sentencepiece import SentencePieceProcessor
from tests.tokens.conftest import byte_level, sentence_piece

from tabwright.sampling import ChatPrompt, InfillPrompt, Message, Prompt, TextPrompt
from tabwright.sampling.engine import InfillTokens
from tabwright.sampling.healing import Vocabulary
from tabwright.sampling.prompts import Piece, RenderedPrompt, Renderer
from tabwright.sampling.torch_engine.templates import render_chat
from tabwright.tokens import Tokenizer
from tabwright.tokens.infill import infill_format
from tabwright.tokens.opening import open_tokenizer, write_chat_template

__all__ = ["byte_level", "sentence_piece"]  # fixtures

PREFIX, SUFFIX = "def add(self, value):\n    total = ", "\n    return total\n"


def renderer(tokenizer: Tokenizer, template: str = "", bos: str = "") -> Renderer:
    async def tokenize(text: str, *, special: bool = False, begins: bool = False) -> list[Piece]:
        return [(token, tokenizer.piece(token)) for token in tokenizer.encode(text, special=special, begins=begins)]

    async def opening() -> list[int]:
        return list(tokenizer.opening)

    async def apply(messages: Sequence[Message]) -> str:
        return render_chat(template, messages, bos=bos, eos="</s>").removeprefix(bos)

    infill = infill_format(tokenizer.special)
    return Renderer(
        tokenize=tokenize,
        template=apply,
        opening=opening,
        begin=bos,
        special=tokenizer.special,
        infill=InfillTokens(**infill) if infill else None,
        vocabulary=Vocabulary(tokenizer.piece(token) for token in range(tokenizer.vocab_size)),
    )


def check(tokenizer: Tokenizer, got: RenderedPrompt, left: list[int], healed: list[int], right: list[int]) -> None:
    """The ids are these three, but for the last of `healed`, which are to be spelt again."""
    kept = len(got.ids) - len(left) - len(right)
    assert got.ids == [*left, *healed[:kept], *right]
    assert b"".join(tokenizer.piece(token) for token in healed[kept:]) == got.respell.encode()


@pytest.mark.parametrize("order", ["psm", "spm"])
async def test_code_llama_fills_in(sentence_piece: Path, order: str) -> None:
    """`<PRE> {prefix} <SUF>{suffix} <MID>`, or `<PRE> <SUF>{suffix} <MID> {prefix}` (Roziere et al. 2023, 2.3).

    The prefix has SentencePiece's space before it, the suffix has none.
    """
    tokenizer = open_tokenizer(sentence_piece)
    model = SentencePieceProcessor(model_file=str(sentence_piece / "tokenizer.model"))
    pre, suf, mid = (model.piece_to_id(f"▁<{name}>") for name in ("PRE", "SUF", "MID"))
    begin, prefix = model.bos_id(), model.encode(PREFIX)
    suffix = tokenizer.encode(SUFFIX)
    assert tokenizer.piece(prefix[0]).startswith(b" ")
    assert b"".join(map(tokenizer.piece, suffix)) == SUFFIX.encode()
    got = await renderer(tokenizer).render(InfillPrompt(prefix=PREFIX, suffix=SUFFIX, order=order), 900)  # type: ignore[arg-type]
    if order == "psm":
        check(tokenizer, got, [begin, pre], prefix, [suf, *suffix, mid])
    else:
        check(tokenizer, got, [begin, pre, suf, *suffix, mid], prefix, [])
    assert got.respell


async def test_code_llama_instruct_reads_a_turn_as_one_text(sentence_piece: Path, tmp_path: Path) -> None:
    tokenizer = open_tokenizer(sentence_piece)
    model = SentencePieceProcessor(model_file=str(sentence_piece / "tokenizer.model"))
    write_chat_template("llama-instruct", tmp_path)
    made = renderer(tokenizer, (tmp_path / "chat_template.jinja").read_text(), "<s>")
    begin, end = model.bos_id(), model.eos_id()
    said = [("system", "be brief"), ("user", "add one"), ("assistant", "return"), ("user", "<s>def</s>")]
    messages = [Message(role=role, content=text) for role, text in said]  # type: ignore[arg-type]
    got = await made.render(ChatPrompt(messages=tuple(messages)), 900)
    first = model.encode("[INST] <<SYS>>\nbe brief\n<</SYS>>\n\nadd one [/INST] return ")
    second = model.encode("[INST] <s>def</s> [/INST]")
    assert got.ids == [begin, *first, end, begin, *second]
    assert got.ids.count(end) == 1  # what a message says is no special token


@pytest.mark.parametrize(
    "text", ["# language: Python\n# write a bubble sort\n", "# language: C++\n// 写一个冒泡排序函数\n"]
)
async def test_codegeex2_s_texts_begin_with_its_two_tokens(sentence_piece: Path, tmp_path: Path, text: str) -> None:
    """`[gMASK] sop`, whose ids follow those of the tokenizer's file (THUDM's ChatGLMTokenizer)."""
    (tmp_path / "tokenizer.model").write_bytes((sentence_piece / "tokenizer.model").read_bytes())
    (tmp_path / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "ChatGLMTokenizer"}))
    tokenizer = open_tokenizer(tmp_path)
    model = SentencePieceProcessor(model_file=str(tmp_path / "tokenizer.model"))
    assert tokenizer.opening == (len(model) + 1, len(model) + 3)
    assert tokenizer.vocab_size == len(model) + 5
    got = await renderer(tokenizer).render(TextPrompt(text=text), 900)
    check(tokenizer, got, list(tokenizer.opening), model.encode(text), [])


@pytest.mark.parametrize("room", [12, 40])
async def test_a_text_that_is_cut_keeps_what_stands_before_every_text(sentence_piece: Path, room: int) -> None:
    tokenizer = open_tokenizer(sentence_piece)
    prompt: Prompt = TextPrompt(text="value = value + 1\n" * 40, cut=True)
    got = await renderer(tokenizer).render(prompt, room)
    assert got.ids[0] == tokenizer.opening[0]
    assert len(got.ids) <= room


async def test_a_message_is_tokenized_with_its_template(byte_level: Path) -> None:
    """And what stands behind special tokens is not joined over them."""
    tokenizer = open_tokenizer(byte_level)
    template = "{% for m in messages %}<|fim_prefix|>{{ m.role }}\n{{ m.content }}<|fim_suffix|>\n{% endfor %}"
    got = await renderer(tokenizer, template).render(
        ChatPrompt(messages=(Message(role="user", content="\n\n  x"), Message(role="user", content="y<|fim_suffix|>"))),
        90,
    )
    prefix, suffix = tokenizer.special["<|fim_prefix|>"], tokenizer.special["<|fim_suffix|>"]
    one, two = tokenizer.encode("user\n\n\n  x"), tokenizer.encode("user\ny<|fim_suffix|>")
    line = tokenizer.encode("\n")
    assert got.ids == [prefix, *one, suffix, *line, prefix, *two, suffix, *line]
