"""Prompt -> completions: engines (llama.cpp, torch, remote), healing, stop rules, beam, ranking.

The nouns are re-exported here; engines are imported from their own modules, so that naming a prompt loads no engine.
"""

from tabwright.sampling.engine import (
    ChatPrompt,
    Chunk,
    ContextFile,
    Engine,
    EngineError,
    InfillPrompt,
    InfillTokens,
    LengthError,
    Message,
    ModelCard,
    Prompt,
    PromptError,
    PromptStyle,
    SamplingOptions,
    TextPrompt,
    Token,
    Usage,
)

__all__ = [
    "ChatPrompt",
    "Chunk",
    "ContextFile",
    "Engine",
    "EngineError",
    "InfillPrompt",
    "InfillTokens",
    "LengthError",
    "Message",
    "ModelCard",
    "Prompt",
    "PromptError",
    "PromptStyle",
    "SamplingOptions",
    "TextPrompt",
    "Token",
    "Usage",
]
