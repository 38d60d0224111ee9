"""Recipes: strict TOML to dataclasses, and those that come with the project."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pytest

from tabwright.corpus import CorpusConfig
from tabwright.recipe import RecipeError, read_recipe, to_table
from tabwright.tokens.shards.config import BatchesConfig, ShardsConfig
from tabwright.tokens.training import TokenizerConfig

RECIPES = sorted((Path(__file__).parents[1] / "recipes").glob("*.toml"))
SECTIONS: dict[str, type] = {
    "corpus": CorpusConfig, "tokenizer": TokenizerConfig, "shards": ShardsConfig, "batches": BatchesConfig,
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Inner:
    share: float = 0.5


@dataclass(frozen=True, kw_only=True)
class Outer:
    name: str
    count: int = 1
    names: tuple[str, ...] = ()
    mode: Literal["keep", "drop"] = "keep"
    is_on: bool = False
    inner: Inner = field(default_factory=Inner)

    def __post_init__(self) -> None:
        if self.count < 1:
            raise ValueError(f"count: got {self.count}, must be at least 1")


def read(tmp_path: Path, text: str) -> Outer:
    path = tmp_path / "recipe.toml"
    path.write_text(text)
    return read_recipe(path, "outer", Outer)


def test_what_is_left_out_has_its_default(tmp_path: Path) -> None:
    config = read(tmp_path, '[outer]\nname = "a"\nnames = ["x", "y"]\n[outer.inner]\nshare = 1\n[other]\nz = 1\n')
    assert config == Outer(name="a", names=("x", "y"), inner=Inner(share=1.0))
    assert to_table(config)["inner"] == {"share": 1.0}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[outer]\n", "outer.name: is missing; add it"),
        ("[other]\n", r"has no table \[outer\]; add it"),
        ("outer = 3\n", r"has no table \[outer\]; add it"),
        (
            '[outer]\nname = "a"\nnmes = []\n',
            "outer.nmes: unknown key; known are count, inner,",
        ),
        ('[outer]\nname = "a"\ncount = 1.5\n', "outer.count: got 1.5, must be a whole number"),
        ('[outer]\nname = "a"\ncount = true\n', "outer.count: got True, must be a whole number"),
        ('[outer]\nname = "a"\ncount = 0\n', "outer.count: got 0, must be at least 1"),
        ('[outer]\nname = "a"\nnames = "x"\n', "outer.names: got 'x', must be a list"),
        ('[outer]\nname = "a"\nnames = ["x", 1]\n', r"outer.names\[1\]: got 1, must be a string"),
        ('[outer]\nname = "a"\nmode = "hold"\n', "outer.mode: got 'hold', must be 'keep' or 'drop'"),
        ('[outer]\nname = "a"\ninner = 1\n', "outer.inner: got 1, must be a table"),
        ('[outer]\nname = "a"\n[outer.inner]\nshre = 1\n', "outer.inner.shre: unknown key; known are share"),
        ("[outer\n", "not TOML"),
    ],
)
def test_what_is_wrong_names_the_file_and_the_key(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(RecipeError, match=message) as caught:
        read(tmp_path, text)
    assert "recipe.toml" in str(caught.value)


def test_a_file_that_is_not_there_or_no_text_is_named(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="no such file"):
        read_recipe(tmp_path / "missing.toml", "outer", Outer)
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(RecipeError, match="not TOML"):
        read_recipe(tmp_path / "binary.toml", "outer", Outer)
    with pytest.raises(RecipeError, match="cannot be read"):
        read_recipe(tmp_path, "outer", Outer)


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.name)
def test_the_project_s_recipes_are_valid(path: Path) -> None:
    with path.open("rb") as file:
        sections = tomllib.load(file)
    assert sections.keys() <= SECTIONS.keys()
    assert all(read_recipe(path, name, SECTIONS[name]) for name in sections)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ("min_alphabetic = 1.5", "corpus.min_alphabetic: got 1.5"),
        ("max_line = 0", "corpus.max_line: got 0"),
        ("[corpus.near_duplicates]\njaccard = 0", "corpus.near_duplicates.jaccard: got 0"),
        ("[corpus.near_duplicates]\nn_bands = 0", "corpus.near_duplicates.n_bands: got 0"),
    ],
)
def test_a_corpus_s_settings_have_bounds(tmp_path: Path, settings: str, message: str) -> None:
    (tmp_path / "recipe.toml").write_text(f"[corpus]\nrules = []\n{settings}\n")
    with pytest.raises(RecipeError, match=message):
        read_recipe(tmp_path / "recipe.toml", "corpus", CorpusConfig)
