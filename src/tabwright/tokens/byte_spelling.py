"""GPT-2's spelling of bytes (Radford et al. 2019): every byte has a printable character that stands for it."""

from __future__ import annotations

from functools import cache


def to_bytes(token: str) -> bytes:
    """Return the bytes of a token that is spelt so; other characters stand for themselves."""
    table = _byte_of()
    return b"".join(bytes([table[c]]) if c in table else c.encode() for c in token)


def to_text(token: bytes) -> str:
    """Return how a token of these bytes is spelt."""
    table = _text_of()
    return "".join(table[byte] for byte in token)


@cache
def _text_of() -> dict[int, str]:
    return {byte: text for text, byte in _byte_of().items()}


@cache
def _byte_of() -> dict[str, int]:
    printable = [*range(ord("!"), ord("~") + 1), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    hidden = [byte for byte in range(256) if byte not in set(printable)]
    return {chr(byte): byte for byte in printable} | {chr(256 + at): byte for at, byte in enumerate(hidden)}
