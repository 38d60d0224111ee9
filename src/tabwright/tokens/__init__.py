"""Text <-> ids: byte-level BPE with runs of white space, SentencePiece, infill formats, chat templates."""

from tabwright.tokens.tokenizer import Tokenizer, TokenizerError

__all__ = ["Tokenizer", "TokenizerError"]
