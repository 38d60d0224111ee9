"""samples.jsonl: written as it comes, resumed without drawing anything twice, never mixed with other settings."""

from __future__ import annotations

import asyncio
import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
from filelock import FileLock

from tabwright.records import Problem, RecordError, Sample, read_records
from tabwright.sampling import PromptError
from tabwright.sampling.llamacpp import LlamaCppEngine
from tabwright.sampling.samples import SamplesConfig, draw_samples

PROBLEMS = [
    Problem(task_id=f"T/{word}", prompt=f'def {word}(a, b):\n    """Return a {word} b."""\n', entry_point=word, test="")
    for word in ("plus", "minus", "times")
]
CONFIG = SamplesConfig(
    benchmark="three", model="smollm2-135m", style="completion", n=3, temperature=0.8, max_tokens=16, seed=5
)


def rows(path: Path) -> list[Sample]:
    return sorted(read_records(path, Sample), key=lambda sample: sample.task_id)


async def test_draws_n_samples_of_every_problem(tmp_path: Path, smollm2_engine: LlamaCppEngine) -> None:
    counts: list[int] = []
    out = tmp_path / "samples.jsonl"
    assert await draw_samples(smollm2_engine, PROBLEMS, CONFIG, out, counts.append) == 9
    assert counts == list(range(10))
    samples = rows(out)
    assert [sample.task_id for sample in samples] == sorted(problem.task_id for problem in PROBLEMS for _ in range(3))
    for sample in samples:
        assert sample.mean_logprob is not None
        assert sample.mean_logprob <= 0
        assert sample.finish_reason in ("stop", "length")
    recipe = json.loads((tmp_path / "samples.jsonl.recipe.json").read_text())
    assert (recipe["style"], recipe["seed"], recipe["temperature"]) == ("completion", 5, 0.8)


async def test_a_problem_with_a_suffix_is_filled_in(tmp_path: Path, qwen_engine: LlamaCppEngine) -> None:
    problem = Problem(
        task_id="T/add",
        prompt='def add(a, b):\n    """Return a plus b."""\n    total =',
        suffix="\n    return total\n",
        entry_point="add",
        test="",
    )
    out = tmp_path / "samples.jsonl"
    config = replace(CONFIG, style="infill", n=1, temperature=0)
    await draw_samples(qwen_engine, [problem], config, out)
    assert rows(out)[0].completion.startswith(" a + b\n")


async def test_an_interrupted_run_ends_with_the_samples_of_a_whole_one(
    tmp_path: Path, smollm2_engine: LlamaCppEngine
) -> None:
    whole, broken = tmp_path / "whole.jsonl", tmp_path / "broken.jsonl"
    one_slot = PROBLEMS[:1]
    await draw_samples(smollm2_engine, one_slot, CONFIG, whole)
    await draw_samples(smollm2_engine, one_slot, replace(CONFIG, n=1), broken)
    with broken.open("a") as file:
        file.write('{"task_id": "T/plus", "compl')  # what kill -9 leaves of a line
    assert await draw_samples(smollm2_engine, one_slot, CONFIG, broken) == 3
    assert [sample.completion for sample in rows(broken)] == [sample.completion for sample in rows(whole)]


async def test_a_finished_file_is_left_alone(tmp_path: Path, smollm2_engine: LlamaCppEngine) -> None:
    out = tmp_path / "samples.jsonl"
    await draw_samples(smollm2_engine, PROBLEMS[:1], CONFIG, out)
    before = out.read_bytes()
    await draw_samples(smollm2_engine, PROBLEMS[:1], CONFIG, out)
    assert out.read_bytes() == before


@pytest.mark.parametrize(
    "change", [{"temperature": 0.2}, {"style": "fence"}, {"n": 2}, {"weights": "0f"}, {"problems": "ab"}]
)
async def test_other_settings_are_refused(
    tmp_path: Path, smollm2_engine: LlamaCppEngine, change: dict[str, object]
) -> None:
    out = tmp_path / "samples.jsonl"
    await draw_samples(smollm2_engine, PROBLEMS[:1], CONFIG, out)
    before = out.read_bytes()
    with pytest.raises(RecordError, match=f"made with other settings .*{next(iter(change))}"):
        await draw_samples(smollm2_engine, PROBLEMS[:1], replace(CONFIG, **change), out)  # type: ignore[arg-type]
    assert out.read_bytes() == before


async def test_a_prompt_that_does_not_fit_is_refused_and_not_cut(
    tmp_path: Path, smollm2_engine: LlamaCppEngine
) -> None:
    long = "x = 1\n" * smollm2_engine.card.context_length
    for form, style in (("text", "completion"), ("code", "shown-fence")):
        problem = Problem(task_id="T/long", prompt=long, entry_point="f", test="", form=form)  # type: ignore[arg-type]
        config = replace(CONFIG, style=style)  # type: ignore[arg-type]
        with pytest.raises(PromptError, match=r"T/long: the prompt has \d+ tokens.*larger --context"):
            await draw_samples(smollm2_engine, [problem], config, tmp_path / "s.jsonl")


async def test_a_place_where_no_file_can_be_made_is_told_as_that(
    tmp_path: Path, smollm2_engine: LlamaCppEngine
) -> None:
    with pytest.raises(RecordError, match=r"/proc/samples\.jsonl: no file can be made there"):
        await draw_samples(smollm2_engine, PROBLEMS, CONFIG, Path("/proc/samples.jsonl"))


async def test_a_file_that_another_process_writes_is_refused(tmp_path: Path, smollm2_engine: LlamaCppEngine) -> None:
    out = tmp_path / "samples.jsonl"
    with FileLock(tmp_path / ".samples.jsonl.lock"), pytest.raises(RecordError, match="another process"):
        await draw_samples(smollm2_engine, PROBLEMS, CONFIG, out)


async def test_cancelling_keeps_what_is_written(tmp_path: Path, smollm2_engine: LlamaCppEngine) -> None:
    out = tmp_path / "samples.jsonl"
    reached = asyncio.Event()
    task = asyncio.create_task(
        draw_samples(smollm2_engine, PROBLEMS, CONFIG, out, lambda n_done: reached.set() if n_done >= 2 else None)
    )
    await reached.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    kept = rows(out)
    assert len(kept) >= 2
    assert await draw_samples(smollm2_engine, PROBLEMS, CONFIG, out) == 9


async def test_settings_without_a_sample_bind_nobody(tmp_path: Path, smollm2_engine: LlamaCppEngine) -> None:
    out = tmp_path / "samples.jsonl"
    await draw_samples(smollm2_engine, [], CONFIG, out)
    changed = replace(CONFIG, max_tokens=3)
    await draw_samples(smollm2_engine, PROBLEMS[:1], changed, out)
    assert len(out.read_text().splitlines()) == changed.n


async def test_what_is_no_samples_file_is_left_as_it_is(tmp_path: Path, smollm2_engine: LlamaCppEngine) -> None:
    out = tmp_path / "samples.jsonl"
    await draw_samples(smollm2_engine, PROBLEMS[:1], CONFIG, out)
    out.write_bytes(b"\x00\xff no\n samples")
    with pytest.raises(RecordError):
        await draw_samples(smollm2_engine, PROBLEMS[:1], CONFIG, out)
    assert out.read_bytes() == b"\x00\xff no\n samples"
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(RecordError, match="not a file"):
        await draw_samples(smollm2_engine, PROBLEMS[:1], CONFIG, tmp_path / "pipe")
