"""SentencePiece models (Kudo and Richardson 2018): Code Llama's and ChatGLM2's `tokenizer.model`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from sentencepiece import SentencePieceProcessor

from tabwright.tokens.infill import infill_tokens
from tabwright.tokens.tokenizer import TokenizerError

_MARK = "▁"


class SentencePieceTokenizer:
    """One model, and special tokens of the family that it does not hold itself.

    A text that begins a document is encoded as SentencePiece does it, mostly with a space before; any other goes on
    from where it stands. U+2581, with which these models spell a space, cannot be told from one.

    Args:
        path: the model.
        special: texts of special tokens and their ids; those of the model's control tokens are added.
        behind: special tokens whose ids follow the model's own, in this order.
        opening: texts of the special tokens that stand before every text; where empty, the model's own first token.
        chat_template: a Jinja template; empty if there is none.

    Raises:
        TokenizerError: the file is missing, or no SentencePiece model.
    """

    def __init__(
        self,
        path: Path,
        *,
        special: Mapping[str, int] | None = None,
        behind: Sequence[str] = (),
        opening: Sequence[str] = (),
        chat_template: str = "",
    ) -> None:
        try:
            self._model = SentencePieceProcessor(model_proto=path.read_bytes())
        except FileNotFoundError:
            raise TokenizerError(f"{path}: no such file; a model of this family needs it") from None
        except RuntimeError as error:
            raise TokenizerError(f"{path}: no SentencePiece model ({error}); download it again") from None
        controls = {self._model.id_to_piece(i): i for i in range(len(self._model)) if self._model.is_control(i)}
        pieces = {self._model.id_to_piece(number): number for number in range(len(self._model))}
        infill, ends = infill_tokens(pieces)  # ordinary pieces in Code Llama's file
        self.special = controls | dict(special or {}) | {text: pieces[text] for text in sorted(infill)}
        self.special |= {text: len(pieces) + at for at, text in enumerate(behind)}
        own = (self._model.bos_id(),) if self._model.bos_id() >= 0 else ()
        self.opening = tuple(self.special[text] for text in opening) or own
        eos_ids = [self._model.eos_id()] if self._model.eos_id() >= 0 else []
        self.eos_ids = frozenset([*eos_ids, *(pieces[text] for text in ends)])
        self.chat_template = chat_template
        # What a text that begins nothing is put behind, so that the model adds its space there and not to the text.
        self._lead = "\n"
        self._lead_ids = list(self._model.encode(self._lead))
        self._pieces = list(self._read_pieces())

    @property
    def vocab_size(self) -> int:
        """How many ids there are."""
        return len(self._pieces)

    def encode(self, text: str, *, special: bool = False, begins: bool = False) -> list[int]:
        """Return the ids of a text."""
        if not special or not self.special:
            return self._encode(text, begins)
        ids: list[int] = []
        pattern = "|".join(re.escape(name) for name in sorted(self.special, key=len, reverse=True))
        for at, part in enumerate(re.split(f"({pattern})", text)):
            ids += [self.special[part]] if part in self.special else self._encode(part, begins and at == 0)
        return ids

    def piece(self, token: int) -> bytes:
        """Return the bytes that a token stands for."""
        return self._pieces[token]

    def _encode(self, text: str, begins: bool) -> list[int]:
        if begins or not text:
            return list(self._model.encode(text))
        ids = list(self._model.encode(self._lead + text))
        if ids[: len(self._lead_ids)] != self._lead_ids:  # a model that merges line breaks
            return list(self._model.encode(text))
        return ids[len(self._lead_ids) :]

    def _read_pieces(self) -> Iterable[bytes]:
        special = set(self.special.values())
        n_pieces = max([len(self._model), *(number + 1 for number in self.special.values())])
        for token in range(n_pieces):
            if token >= len(self._model) or token in special or self._model.is_unknown(token):
                yield b""
            elif self._model.is_byte(token):
                yield bytes([int(self._model.id_to_piece(token)[3:5], 16)])
            else:
                yield self._model.id_to_piece(token).replace(_MARK, " ").encode()
