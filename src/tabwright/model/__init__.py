"""One decoder for four families: config, attention, feed-forward, norm, rope, cache, quantised weights, checkpoints.

Naming a family or a configuration loads no torch; the modules that do are imported by their own names.
"""

from tabwright.model.config import ConfigError, DecoderConfig, WeightsError

__all__ = ["ConfigError", "DecoderConfig", "WeightsError"]
