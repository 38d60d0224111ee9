"""What the server counts, in a Prometheus registry of its own: one `Metrics` for each app."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from tabwright.sampling import Usage

_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)


class Metrics:
    """Counters, gauges and histograms; times are in seconds. No label ever holds what a client sent."""

    def __init__(self) -> None:
        self.registry = own = CollectorRegistry()
        self.requests = Counter("tabwright_requests", "Requests answered", ["route", "status"], registry=own)
        self.latency = Histogram(
            "tabwright_request_seconds", "From request to end of answer", ["route"], buckets=_SECONDS, registry=own
        )
        self.first_token = Histogram(
            "tabwright_time_to_first_token_seconds", "From slot to first text", buckets=_SECONDS, registry=own
        )
        self.prompt_tokens = Counter("tabwright_prompt_tokens", "Prompt tokens, cached ones included", registry=own)
        self.cached_tokens = Counter("tabwright_cached_prompt_tokens", "Prompt tokens found in cache", registry=own)
        self.completion_tokens = Counter("tabwright_completion_tokens", "New tokens", registry=own)
        self.queue = Gauge("tabwright_queue_length", "Requests that wait for a slot", registry=own)
        self.busy = Gauge("tabwright_busy_slots", "Requests that hold a slot", registry=own)
        self.cancelled = Counter("tabwright_cancelled_requests", "Requests whose client went away", registry=own)

    def count(self, usage: Usage, *, first: bool) -> None:
        """Add one sample's tokens; only the first sample of a prompt has read it."""
        self.completion_tokens.inc(usage.completion_tokens)
        if first:
            self.prompt_tokens.inc(usage.prompt_tokens)
            self.cached_tokens.inc(usage.cached_tokens)

    def text(self) -> bytes:
        """Return everything in Prometheus's text format."""
        return generate_latest(self.registry)
