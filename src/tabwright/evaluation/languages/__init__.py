"""Programs in compiled languages: problem + completion -> built, run and judged. The table says how, for each language.

with Judge(languages()["cpp"], Limits(timeout_s=3.0), cache) as judge:
result = judge.judge(problem, completion)       # sandbox.Result
"""

from tabwright.evaluation.languages.build import make_kit
from tabwright.evaluation.languages.judging import Judge
from tabwright.evaluation.languages.table import Language, languages

__all__ = ["Judge", "Language", "languages", "make_kit"]
