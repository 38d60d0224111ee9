"""Problems + Samples -> scores, pass@k, report. Never imports a model.

    problems = load_benchmark("humaneval", directory=...)         # {task_id: Problem}
    settings = ScoringSettings(timeout_s=3.0)                     # limits, packages, unsafe
    scores = score_samples(samples, problems, out, settings=settings, workers=2, on_score=callback)
    report = build_report(scores, problems)                       # pass@k, rankings, outcomes: plain data
    header, scores = read_scores(out)

`score_samples` starts worker processes, writes each `Score` to `out` at once, and goes on where it was interrupted.
`evaluation.reports` compares runs and makes the page that shows them.
Errors are `RecordError` (a file or a record is wrong) and `sandbox.SandboxError` (programs cannot be isolated here).
"""

from tabwright.evaluation.benchmarks import benchmarks, load_benchmark
from tabwright.evaluation.faults import faults_of
from tabwright.evaluation.rankings import RANKINGS, rank
from tabwright.evaluation.report import Estimate, Report, build_report
from tabwright.evaluation.scoring import ScoringSettings, fingerprint, read_samples, read_scores, score_samples
from tabwright.evaluation.tester import judge

__all__ = [
    "RANKINGS",
    "Estimate",
    "Report",
    "ScoringSettings",
    "benchmarks",
    "build_report",
    "faults_of",
    "fingerprint",
    "judge",
    "load_benchmark",
    "rank",
    "read_samples",
    "read_scores",
    "score_samples",
]
