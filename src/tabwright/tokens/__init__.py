"""Text <-> ids: byte-level BPE, SentencePiece, runs of white space, infill and language tags, packing, shards."""

from tabwright.tokens.tokenizer import Tokenizer, TokenizerError

__all__ = ["Tokenizer", "TokenizerError"]
