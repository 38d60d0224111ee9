"""A model's folder or GGUF file -> its tokenizer, and the files of a tokenizer for a folder of our own."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

from tabwright.records import replacing
from tabwright.tokens.tokenizer import Tokenizer, TokenizerError

_CONTROL, _USER_DEFINED = 3, 4
_EXTRA = re.compile(r"<\|extratoken_(\d+)\|>")
# Extra tokens 10 to 18 are runs of 2 to 10 spaces (Zheng et al. 2023, section 2.1).
_FIRST_EXTRA, _LONGEST_RUN = 10, 10
# By the class that `tokenizer_config.json` names: special tokens behind those of the model's file, and those of them
# that stand before every text (THUDM's ChatGLM2 and CodeGeeX2).
_BEHIND = {"ChatGLMTokenizer": (("[MASK]", "[gMASK]", "[sMASK]", "sop", "eop"), ("[gMASK]", "sop"))}
_FILES = (
    "tokenizer.json", "tokenizer.model", "vocab.json", "merges.txt", "added_tokens.json", "tokenizer_config.json",
    "chat_template.jinja", "special_tokens_map.json", "generation_config.json",
)  # fmt: skip


def open_tokenizer(path: Path) -> Tokenizer:
    """Return the tokenizer of a model's folder, or that which a GGUF file carries.

    Raises:
        TokenizerError: there is none, or it cannot be used.
    """
    try:
        return _from_gguf(path) if path.suffix == ".gguf" else _from_folder(path)
    except TokenizerError:
        raise
    except (ArithmeticError, AttributeError, LookupError, OSError, RecursionError, TypeError, ValueError) as error:
        raise TokenizerError(f"{path}: its tokenizer is damaged ({error}); download it again") from None


def _from_folder(path: Path) -> Tokenizer:
    if not path.exists():
        raise TokenizerError(f"{path}: no such file or folder; name a folder with a tokenizer")
    folder = path if path.is_dir() else path.parent
    settings = read_settings(folder)
    model = folder / "tokenizer.model"
    if (folder / "tokenizer.json").is_file():
        backend = _read_json(folder / "tokenizer.json")
        if "ByteLevel" in f"{backend.pre_tokenizer!r} {backend.decoder!r}":
            return _from_json(backend, settings)
        if not model.is_file():
            raise TokenizerError(f"{folder / 'tokenizer.json'}: no byte-level BPE; put its tokenizer.model beside it")
    if model.is_file():
        return _from_model(model, settings)
    if (folder / "vocab.json").is_file() and (folder / "merges.txt").is_file():
        return _from_merges(folder, settings)
    raise _nothing(folder)


def keep_files(source: Path, folder: Path) -> list[str]:
    """Write into `folder` what `open_tokenizer` needs to open the tokenizer of `source` there; return the names.

    Raises:
        TokenizerError: `source` has none.
    """
    if source.suffix == ".gguf":
        return _write_from_gguf(source, folder)
    source = source if source.is_dir() else source.parent
    kept = [name for name in _FILES if (source / name).is_file()]
    if not {"tokenizer.json", "tokenizer.model", "merges.txt"} & set(kept):
        raise _nothing(source)
    for name in kept:
        (folder / name).write_bytes((source / name).read_bytes())
    return kept


def write_chat_template(name: str, folder: Path) -> None:
    """Give a folder a chat template that the package brings, where its tokenizer has none.

    Raises:
        TokenizerError: there is none of that name.
    """
    known = {path.name.removesuffix(".jinja"): path for path in files("tabwright.tokens").joinpath("chat").iterdir()}
    if name not in known:
        raise TokenizerError(f"chat template: got {name!r}; known are {', '.join(sorted(known))}")
    (folder / "chat_template.jinja").write_text(known[name].read_text("utf-8"), "utf-8")


def _nothing(folder: Path) -> TokenizerError:
    return TokenizerError(
        f"{folder}: has no tokenizer; expected tokenizer.json, tokenizer.model, or vocab.json and merges.txt"
    )


def read_settings(folder: Path) -> dict[str, Any]:
    """Return what the files beside a tokenizer say of it."""
    settings: dict[str, Any] = {"chat_template": ""}
    for name in ("config.json", "generation_config.json", "tokenizer_config.json"):
        if (folder / name).is_file():
            try:
                settings |= {k: v for k, v in json.loads((folder / name).read_text("utf-8")).items() if v is not None}
            except ValueError as error:
                raise TokenizerError(f"{folder / name}: cannot be read as JSON: {error}") from None
    if (folder / "chat_template.jinja").is_file():
        settings["chat_template"] = (folder / "chat_template.jinja").read_text("utf-8")
    return settings


def _from_model(path: Path, settings: Mapping[str, Any]) -> Tokenizer:
    from tabwright.tokens.sentence_piece import SentencePieceTokenizer

    added = {row["content"]: int(i) for i, row in settings.get("added_tokens_decoder", {}).items() if row["special"]}
    behind, opening = _BEHIND.get(settings.get("tokenizer_class", ""), ((), ()))
    return SentencePieceTokenizer(
        path, special=added, behind=behind, opening=opening, chat_template=settings["chat_template"]
    )


def _read_json(path: Path) -> Any:
    from tokenizers import Tokenizer as Backend

    try:
        return Backend.from_file(str(path))
    except Exception as error:
        raise TokenizerError(f"{path}: cannot be used: {error}; download it again") from None


def _from_json(backend: Any, settings: Mapping[str, Any]) -> Tokenizer:
    from tabwright.tokens.byte_level import ByteLevelTokenizer

    known = backend.get_vocab(with_added_tokens=True)
    # Many name a token for the beginning and put none there: what the tokenizer adds to nothing tells.
    added = backend.encode("", add_special_tokens=True).ids[:1]
    return ByteLevelTokenizer(
        backend,
        opening=added or _first(settings, known),
        eos_ids=_ends(settings, known),
        chat_template=settings["chat_template"],
    )


def _from_merges(folder: Path, settings: Mapping[str, Any]) -> Tokenizer:
    from tabwright.tokens.byte_level import ByteLevelTokenizer, build

    vocabulary = json.loads((folder / "vocab.json").read_text("utf-8"))
    lines = (folder / "merges.txt").read_text("utf-8").splitlines()
    merges = [tuple(line.split(" ")) for line in lines if line and not line.startswith("#version")]
    added: dict[str, int] = {}
    if (folder / "added_tokens.json").is_file():
        added = json.loads((folder / "added_tokens.json").read_text("utf-8"))
    ids = vocabulary | added
    tokens = sorted(ids, key=lambda text: int(ids[text]))
    wrong = next((text for number, text in enumerate(tokens) if ids[text] != number), None)
    wrong = next((text for text in added if vocabulary.get(text, added[text]) != added[text]), wrong)
    if wrong is not None:
        raise TokenizerError(f"{folder}: the ids of vocab.json and added_tokens.json have a hole or meet at {wrong!r}")
    spaces = {
        int(found[1]) - _FIRST_EXTRA + 2: number
        for text, number in added.items()
        if (found := _EXTRA.fullmatch(text)) and 2 <= int(found[1]) - _FIRST_EXTRA + 2 <= _LONGEST_RUN
    }
    special = [text for text in tokens if text in added or text.startswith("<|")]
    backend = build(tokens, [(a, b) for a, b in merges], "gpt-2", special=special, added=())
    known = {text: number for number, text in enumerate(tokens)}
    return ByteLevelTokenizer(
        backend,
        opening=_first(settings, known),
        eos_ids=_ends(settings, known),
        chat_template=settings["chat_template"],
        spaces=spaces,
    )


def _first(settings: Mapping[str, Any], known: Mapping[str, int]) -> list[int]:
    text = text_of(settings.get("bos_token", ""))
    return [known[text]] if settings.get("add_bos_token") and text in known else []


def _ends(settings: Mapping[str, Any], known: Mapping[str, int]) -> Iterable[int]:
    named = known.get(text_of(settings.get("eos_token", "<|endoftext|>")))
    numbers = settings.get("eos_token_id", [])
    found = {int(number) for number in (numbers if isinstance(numbers, list) else [numbers])}
    return found | ({named} if named is not None else set())


def text_of(token: Any) -> str:
    """Return the text of a special token, which some files write as an object."""
    return str(token["content"] if isinstance(token, dict) else token)


class _GGUFVocabulary:
    """What a GGUF file says of its tokenizer."""

    def __init__(self, path: Path) -> None:
        from gguf import GGUFReader

        try:
            self._reader = GGUFReader(path)
        except (OSError, ValueError, IndexError) as error:
            raise TokenizerError(f"{path}: cannot be read: {error}") from None
        kind = self.value("model", "none")
        if kind != "gpt2":
            raise TokenizerError(
                f"{path}: its tokenizer is of the kind {kind!r}, and byte-level BPE alone is read from GGUF; import "
                "the model from its folder with tokenizer.model"
            )
        self.tokens: list[str] = self.value("tokens", [])
        self.kinds: list[int] = self.value("token_type", [1] * len(self.tokens))
        self.merges = [tuple(line.split(" ")) for line in self.value("merges", [])]
        self.cut = self.value("pre", "default")
        field = self._reader.get_field("tokenizer.chat_template")
        self.chat_template = str(field.contents()) if field else ""

    def value(self, key: str, default: Any) -> Any:
        field = self._reader.get_field(f"tokenizer.ggml.{key}")
        return default if field is None else field.contents()

    def of_kind(self, kind: int) -> list[str]:
        return [token for token, its in zip(self.tokens, self.kinds, strict=True) if its == kind]

    @property
    def opening(self) -> list[int]:
        return [int(self.value("bos_token_id", -1))] if self.value("add_bos_token", False) else []

    @property
    def eos_ids(self) -> set[int]:
        """The ids that end a text: its own, and those that end a turn or a file in the templates of known models."""
        ends = {"<|im_end|>", "<|endoftext|>", "<|eot_id|>", "</s>"}
        controls = set(self.of_kind(_CONTROL))
        named = {number for number, token in enumerate(self.tokens) if token in ends & controls}
        return named | {int(self.value(key, -1)) for key in ("eos_token_id", "eot_token_id")} - {-1}

    def backend(self) -> Any:
        from tabwright.tokens.byte_level import build

        merges = [(pair[0], pair[1]) for pair in self.merges]
        return build(self.tokens, merges, self.cut, special=self.of_kind(_CONTROL), added=self.of_kind(_USER_DEFINED))


def _from_gguf(path: Path) -> Tokenizer:
    from tabwright.tokens.byte_level import ByteLevelTokenizer

    read = _GGUFVocabulary(path)
    return ByteLevelTokenizer(
        read.backend(), opening=read.opening, eos_ids=read.eos_ids, chat_template=read.chat_template
    )


def _write_from_gguf(path: Path, folder: Path) -> list[str]:
    read = _GGUFVocabulary(path)
    with replacing(folder / "tokenizer.json") as temporary:
        temporary.write_text(read.backend().to_str(pretty=True), "utf-8")  # its `save` names no file when it fails
    settings: dict[str, Any] = {"chat_template": read.chat_template, "tokenizer_class": "PreTrainedTokenizerFast"}
    eos = int(read.value("eos_token_id", -1))
    if eos >= 0:
        settings["eos_token"] = read.tokens[eos]
    if read.opening:
        settings |= {"bos_token": read.tokens[read.opening[0]], "add_bos_token": True}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings, indent=2) + "\n", "utf-8")
    ends = {"eos_token_id": sorted(read.eos_ids)}
    (folder / "generation_config.json").write_text(json.dumps(ends) + "\n", "utf-8")
    return ["tokenizer.json", "tokenizer_config.json", "generation_config.json"]
