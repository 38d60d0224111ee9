"""Sources and a recipe -> a corpus: Parquet documents with provenance, what was dropped and why, and a report.

    list the sources -> clean each partition -> find duplicates -> write each partition -> report

Each partition is done once, whatever interrupts the build; two builds of the same sources give the same bytes.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from filelock import FileLock, Timeout

from tabwright.corpus.config import CorpusConfig
from tabwright.corpus.errors import CorpusError
from tabwright.corpus.passes import engine
from tabwright.corpus.passes.cleaning import Cleaning
from tabwright.corpus.passes.plan import Plan
from tabwright.corpus.passes.selecting import Selecting
from tabwright.corpus.passes.storage import write_text
from tabwright.corpus.report import Report, make_report
from tabwright.corpus.report_page import build_page
from tabwright.corpus.rules import Signs, make_rules, signs_of
from tabwright.corpus.sources.git import git_directory
from tabwright.records import Problem, remove_leftovers

Progress = Callable[[str, int, int], None]


def build_corpus(
    config: CorpusConfig,
    sources: Sequence[str],
    folder: Path,
    *,
    problems: Sequence[Problem] = (),
    n_workers: int = 1,
    ray: str = "",
    progress: Progress = lambda stage, done, of: None,
) -> Report:
    """Build a corpus, or go on with one.

    Args:
        config: the recipe.
        sources: as for `open_source`, in the order in which the first of equal files is kept.
        folder: where it goes; empty, missing, or of an interrupted build of the same.
        problems: benchmarks' tasks that must not be in it.
        n_workers: processes at once.
        ray: address of a Ray cluster, whose machines see the same files; this machine if empty.
        progress: called with a stage's name, and how many of its partitions are done.

    Raises:
        CorpusError: the folder holds something else, another process builds there, a source is missing or none, no
            file is in any, a rule is unknown, or a program or the cluster is missing.
    """
    plan = Plan(folder, config, tuple(sources))
    _check(plan)  # what is wrong is said before anything is read
    plan.work.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(plan.work / "lock", timeout=0), engine.cluster(ray):
            remove_leftovers(plan.folder)
            if not plan.recipe.exists():
                write_text(plan.recipe, json.dumps(plan.described(), indent=1))
            return _build(plan, problems, n_workers, progress)
    except Timeout:
        raise CorpusError(f"{folder}: another process builds there; wait for it or end it") from None


def _build(plan: Plan, problems: Sequence[Problem], n_workers: int, progress: Progress) -> Report:
    progress("listing", 0, len(plan.places))
    plan.make()
    n_partitions = plan.partitions()
    if not n_partitions:
        shutil.rmtree(plan.work)
        plan.recipe.unlink()
        raise CorpusError(f"{', '.join(plan.places)}: no file is in there; name a source that has some")
    signs = signs_of(problems, plan.config.contamination_words) if "contamination" in plan.config.rules else Signs()
    cleaning = Cleaning(plan, signs)
    partitions = plan.largest_first()
    selecting = Selecting(cleaning, n_partitions)
    _do("cleaning", cleaning, [at for at in partitions if not cleaning.is_clean(at)], n_workers, progress)
    progress("finding duplicates", 0, 1)
    found = selecting.decide()
    left = [at for at in partitions if not selecting.documents(at).exists()]
    _do("writing", selecting, left, n_workers, progress, in_threads=True)
    report = make_report(selecting, found)
    write_text(plan.folder / "report.html", build_page(report))
    write_text(plan.folder / "report.json", json.dumps(report.to_mapping(), indent=1))
    shutil.rmtree(plan.work, ignore_errors=True)
    return report


def _do(
    stage: str,
    task: engine.Task,
    partitions: Sequence[int],
    n_workers: int,
    progress: Progress,
    *,
    in_threads: bool = False,
) -> None:
    progress(stage, 0, len(partitions))
    for number, _ in enumerate(engine.run(task, partitions, n_workers, in_threads=in_threads), start=1):
        progress(stage, number, len(partitions))


def _check(plan: Plan) -> None:
    """See that the recipe can be followed, and that the folder is free or holds this very build, unfinished."""
    rules, folder = plan.config.rules, plan.folder
    make_rules(plan.config, Signs())
    if "python" in rules and "language" not in rules[: rules.index("python")]:
        raise CorpusError("rules: 'python' formats what 'language' says is Python; put 'language' before it")
    for place in (Path(name).expanduser() for name in plan.places):
        if place.is_dir() and not git_directory(place) and folder.resolve().is_relative_to(place.resolve()):
            raise CorpusError(f"{folder}: lies in the source {place}, and would be read as well; name another folder")
    if plan.recipe.exists():
        try:
            same = json.loads(plan.recipe.read_text())["identity"] == plan.identity
        except (ValueError, KeyError, TypeError):
            same = False
        if not same:
            raise CorpusError(f"{folder}: holds a build of another recipe or other sources; name another folder")
        if (folder / "report.json").exists():
            shutil.rmtree(plan.work, ignore_errors=True)
            raise CorpusError(f"{folder}: is built already; remove it to build it again")
    elif folder.exists() and any(not path.name.startswith(".") for path in folder.iterdir()):
        raise CorpusError(f"{folder}: is not empty; name another folder")
