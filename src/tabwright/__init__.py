"""Tabwright: build, measure and run your own code model.

The road: source code -> corpus -> tokens -> model -> samples -> scores -> suggestions.
"""

__version__ = "0.1.0"
