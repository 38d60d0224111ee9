"""A report's page for many samples: how long it takes to make, how large it is, how soon a browser has drawn it.

    python benchmarks/report.py --benchmarks DIR [--samples N] [--rounds N]

HumanEval with N made-up samples of each problem: lines of the canonical solutions in random order, a third of their
words swapped, so that they compress no better than what a model writes. Needs Chromium.
"""

from __future__ import annotations

import argparse
import random
import shutil
import statistics
import tempfile
import time
from pathlib import Path

from playwright.sync_api import sync_playwright

from tabwright.evaluation import build_report, load_benchmark
from tabwright.evaluation.reports import Run, build_page, write_page
from tabwright.evaluation.scoring import ScoresHeader
from tabwright.records import Problem, Sample, Score

_WATCH = """new MutationObserver((changes, observer) => {
    if (!document.documentElement.dataset.drawn) return;
    observer.disconnect();
    requestAnimationFrame(() => setTimeout(() => { window.drawn_ms = performance.now(); }));
}).observe(document, {subtree: true, attributes: true, childList: true})"""
_OPEN = """() => new Promise(done => {
    const since = performance.now();
    const watch = new MutationObserver(() => done(performance.now() - since));
    watch.observe(document.querySelector('dialog'), {attributes: true});
    document.querySelectorAll('.row-name')[20].click();
})"""


def make_up(problems: dict[str, Problem], n: int) -> tuple[list[Sample], list[Score]]:
    """Return `n` samples of each problem with their scores."""
    chance = random.Random(0)
    lines = [line for p in problems.values() for line in p.canonical_solution.splitlines() if line.strip()]
    words = sorted({word for line in lines for word in line.split()})
    samples: list[Sample] = []
    scores: list[Score] = []
    for task, problem in problems.items():
        share = chance.random()
        for _ in range(n):
            drawn = [chance.choice(lines).split() for _ in range(problem.canonical_solution.count("\n") + 4)]
            swapped = [[chance.choice((word, word, chance.choice(words))) for word in line] for line in drawn]
            samples.append(Sample(task_id=task, completion="\n".join("    " + " ".join(line) for line in swapped)))
            passed = chance.random() < share
            scores.append(
                Score(
                    task_id=task,
                    sample_index=len(scores),
                    outcome="passed" if passed else "failed",
                    error=None if passed else chance.choice(("AssertionError", "TypeError: x", "NameError: name 'y'")),
                    mean_logprob=-chance.random(),
                    n_tokens=90,
                    output="",
                )
            )
    return samples, scores


def main() -> None:
    """Print what was measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--benchmarks", type=Path, required=True)
    parser.add_argument("--samples", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    problems = load_benchmark("humaneval", directory=options.benchmarks)
    samples, scores = make_up(problems, options.samples)
    header = ScoresHeader(samples="", problems="", settings={})
    since = time.perf_counter()
    report = build_report(scores, problems)
    figures_s = time.perf_counter() - since
    since = time.perf_counter()
    page = build_page([Run(label="made up", report=report, header=header, scores=scores, samples=samples)], problems)
    page_s = time.perf_counter() - since
    print(f"{len(samples)} samples: figures {figures_s:.1f} s, page {page_s:.1f} s, {len(page) / 1e6:.1f} MB")
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "made-up.html"
        write_page(place, page)
        for width in (1280, 390):
            drawn, opened = look(place, width, options.rounds)
            print(f"{width} px: drawn after {drawn:.0f} ms, a sample opened after {opened:.0f} ms (medians)")


def look(place: Path, width: int, rounds: int) -> tuple[float, float]:
    """Return the median time until the page is drawn, and until a sample is open, both in ms."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    drawn: list[float] = []
    opened: list[float] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        for _ in range(rounds):
            page = browser.new_page(viewport={"width": width, "height": 900})
            page.add_init_script(_WATCH)
            page.goto(place.as_uri())
            while (found := page.evaluate("window.drawn_ms")) is None:
                time.sleep(0.05)
            drawn.append(found)
            opened.append(page.evaluate(_OPEN))
            page.close()
        browser.close()
    return statistics.median(drawn), statistics.median(opened)


if __name__ == "__main__":
    main()
