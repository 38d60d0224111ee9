"""Benchmarks -> samples.jsonl: how each problem is asked, where a sample of it ends, and n samples of each.

config = SamplesConfig(benchmark="humanevalx-go", model="...", style="fence", n=1)
await draw_samples(engine, problems, config, Path("samples.jsonl"))
"""

from tabwright.sampling.samples.drawing import SamplesConfig, draw_samples
from tabwright.sampling.samples.problems import Question, SampleStyle, ask

__all__ = ["Question", "SampleStyle", "SamplesConfig", "ask", "draw_samples"]
