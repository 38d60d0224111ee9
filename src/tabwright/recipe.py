"""TOML recipes -> the configuration dataclasses of the stages. Strict: what no stage knows is an error."""

from __future__ import annotations

import tomllib
from dataclasses import MISSING, asdict, fields, is_dataclass
from pathlib import Path
from types import UnionType
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

Config = TypeVar("Config")


class RecipeError(ValueError):
    """A recipe is not what its stage needs; the message names the file, the key and the remedy."""


def read_recipe(path: Path, section: str, kind: type[Config]) -> Config:
    """Return one section of a recipe as the dataclass that it configures.

    Args:
        path: a TOML file.
        section: the table's name in it, which is the stage's.
        kind: a dataclass; keys that are left out have its defaults.

    Raises:
        RecipeError: the file is missing or not TOML, a key is unknown or missing, or a value is not of its type.
    """
    try:
        with path.open("rb") as file:
            tables = tomllib.load(file)
    except FileNotFoundError:
        raise RecipeError(f"{path}: no such file") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RecipeError(f"{path}: not TOML: {error}") from None
    except OSError as error:
        raise RecipeError(f"{path}: cannot be read: {error.strerror or error}") from None
    if not isinstance(tables.get(section), dict):
        raise RecipeError(f"{path}: has no table [{section}]; add it")
    try:
        return from_table(tables[section], kind, section)
    except RecipeError as error:
        raise RecipeError(f"{path}: {error}") from None


def from_table(table: dict[str, Any], kind: type[Config], name: str) -> Config:
    """Return a dataclass made of a TOML table; tables within it are dataclasses within that.

    Raises:
        RecipeError: as `read_recipe`; and what the dataclass itself refuses.
    """
    if not is_dataclass(kind):
        raise TypeError(f"{kind}: is no dataclass")
    hints = get_type_hints(kind)
    if unknown := sorted(table.keys() - hints.keys()):
        raise RecipeError(f"{name}.{unknown[0]}: unknown key; known are {', '.join(sorted(hints))}")
    for field in fields(kind):
        if field.name not in table and field.default is MISSING and field.default_factory is MISSING:
            raise RecipeError(f"{name}.{field.name}: is missing; add it")
    values = {key: _value(value, hints[key], f"{name}.{key}") for key, value in table.items()}
    try:
        return kind(**values)
    except ValueError as error:
        raise RecipeError(f"{name}.{error}") from None


def to_table(config: Any) -> dict[str, Any]:
    """Return a configuration, defaults and all, as plain data: what is saved beside an artefact."""
    return asdict(config)


def _value(value: Any, hint: Any, name: str) -> Any:
    if is_dataclass(hint) and isinstance(value, dict):
        return from_table(value, hint, name)  # type: ignore[arg-type]
    origin, options = get_origin(hint), get_args(hint)
    if origin is tuple and isinstance(value, list):
        return tuple(_value(item, options[0], f"{name}[{at}]") for at, item in enumerate(value))
    if not _fits(value, hint):
        raise RecipeError(f"{name}: got {value!r:.80}, must be {_described(hint)}")
    return float(value) if hint is float else value


def _fits(value: Any, hint: Any) -> bool:
    origin, options = get_origin(hint), get_args(hint)
    if origin is Literal:
        return value in options
    if origin is UnionType:
        return any(_fits(value, option) for option in options)
    if isinstance(value, bool):
        return hint is bool
    return isinstance(value, (int, float) if hint is float else origin or hint)


def _described(hint: Any) -> str:
    origin, options = get_origin(hint), get_args(hint)
    if origin is Literal:
        return " or ".join(repr(option) for option in options)
    if origin is UnionType:
        return " or ".join(_described(option) for option in options)
    if origin is tuple:
        return "a list"
    return {str: "a string", int: "a whole number", float: "a number", bool: "true or false"}.get(hint, "a table")
