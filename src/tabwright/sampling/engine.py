"""The Engine protocol and its nouns: a prompt and sampling options in, a stream of text with log-probabilities out.

Every engine (llama.cpp, remote, torch) gives the same promises: the text before the cursor is healed
(see `tabwright.sampling.healing`), stop strings never appear in the output, closing the stream frees the slot within
one token, and one request for n samples reads its prompt once. Nothing here chooses a prompt or ranks samples.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Literal, Protocol

from tabwright.sampling.blocks import Block

FinishReason = Literal["stop", "length"]
Role = Literal["system", "user", "assistant"]
PromptStyle = Literal["completion", "tagged", "fence", "shown-fence", "chat"]
InfillOrder = Literal["psm", "spm"]


class EngineError(RuntimeError):
    """The engine could not do what was asked; the message names the cause and the remedy."""


class PromptError(EngineError):
    """The prompt cannot be answered as it stands: too long, or of a kind that the model does not know."""


class LengthError(PromptError):
    """More tokens are asked for than the model's context has room for beside any prompt."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TextPrompt:
    """Text to go on with.

    Attributes:
        text: what stands before the first new token.
        special: text such as `<|fim_prefix|>` stands for the model's special tokens.
        cut: a text that is too long loses its beginning instead of being refused.
    """

    text: str
    special: bool = False
    cut: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class ContextFile:
    """Another file of the repository, shown to the model before the one being written."""

    path: str
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class InfillPrompt:
    """What stands before and after the cursor; too long a prefix or suffix loses the part far from the cursor.

    Attributes:
        prefix: the text before it.
        suffix: the text after it.
        context: other files to show.
        order: whether the model reads prefix, suffix or suffix, prefix before it writes the middle (Bavarian et al.
            2022, section 3).
    """

    prefix: str
    suffix: str
    context: tuple[ContextFile, ...] = ()
    order: InfillOrder = "psm"


@dataclass(frozen=True, kw_only=True, slots=True)
class Message:
    """One turn of a conversation.

    Attributes:
        role: whose turn it is.
        content: what is said.
        cut: a content that is too long loses its beginning instead of being refused.
    """

    role: Role
    content: str
    cut: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class ChatPrompt:
    """A conversation in the model's own chat format.

    `opening` is the reply as already begun, for example an open code fence and the code so far: the model goes on
    with it.
    """

    messages: tuple[Message, ...]
    opening: str = ""


Prompt = TextPrompt | InfillPrompt | ChatPrompt


_LEAST_TEMPERATURE = 1e-6


@dataclass(frozen=True, kw_only=True, slots=True)
class SamplingOptions:
    """How tokens are drawn.

    Attributes:
        max_tokens: the most tokens of one sample; 0 is as many as the context has room for.
        temperature: 0 is greedy; the distribution is tempered first, then cut by top_k and top_p.
        top_k: keep the k most probable tokens; 0 keeps all.
        top_p: nucleus sampling (Holtzman et al. 2020): keep the smallest set of tokens that has this probability.
        seed: the same seed gives the same text, on an engine that decodes nothing else meanwhile (a batch of several
            differs in its last bits); None draws one, and lets a cached prompt be used.
        stop: strings that end a sample; they are not part of its text.
        block: a sample ends where this block of code ends; its closing bracket is part of its text.
        n: samples of the same prompt, which is read once.
        top_logprobs: how many alternatives to report for each token.
        max_prompt_tokens: cut what may be cut of the prompt (see `tabwright.sampling.prompts`) to this many tokens;
            None uses all that the model's context has room for.
        whole: a prompt that is too long is refused, and nothing of it cut; another server does as it likes.
    """

    max_tokens: int = 128
    temperature: float = 0.0
    top_k: int = 0
    top_p: float = 0.95
    seed: int | None = None
    stop: tuple[str, ...] = ()
    block: Block | None = None
    n: int = 1
    top_logprobs: int = 0
    max_prompt_tokens: int | None = None
    whole: bool = False

    def __post_init__(self) -> None:
        for name in ("n", "max_tokens", "temperature", "top_k", "top_p", "top_logprobs"):
            value, least = getattr(self, name), 1 if name == "n" else 0
            if not value >= least:  # nor a NaN
                raise PromptError(f"{name}: got {value}, must be at least {least}")

    @property
    def is_greedy(self) -> bool:
        """Whether the most probable token is always taken: also at temperatures that fp32 cannot divide by."""
        return self.temperature < _LEAST_TEMPERATURE


@dataclass(frozen=True, kw_only=True, slots=True)
class Token:
    """One token with its log-probability (nats, under the model's own distribution before any cut)."""

    text: str
    logprob: float
    top: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Usage:
    """Token counts of one request. `cached_tokens` are the prompt tokens that were not computed again."""

    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Chunk:
    """The next piece of sample `index`; the last one of a sample has a finish reason and its usage."""

    index: int
    text: str
    tokens: tuple[Token, ...] = ()
    finish_reason: FinishReason | None = None
    usage: Usage | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class InfillTokens:
    """The texts of the special tokens with which a model was trained to fill in the middle."""

    prefix: str
    suffix: str
    middle: str
    file_separator: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelCard:
    """What is known of the model behind an engine. `context_length` is in tokens, for one slot."""

    name: str
    engine: str
    context_length: int
    architecture: str = "unknown"
    n_parameters: int | None = None
    quantisation: str = "unknown"
    size_bytes: int | None = None
    licence: str = "unknown"
    infill: InfillTokens | None = None
    has_chat: bool = True
    prompt_style: PromptStyle = "completion"


class Engine(Protocol):
    """Anything that goes on with a prompt."""

    @property
    def card(self) -> ModelCard:
        """What is known of the model."""

    @property
    def slots(self) -> int:
        """How many samples are decoded at once; more requests than this wait inside the engine."""

    def generate(self, prompt: Prompt, options: SamplingOptions) -> AsyncGenerator[Chunk, None]:
        """Yield chunks of the samples of one prompt, interleaved.

        Close the generator (`aclose`) to cancel.

        Raises:
            PromptError: the prompt is too long for the model's context, or of a kind that the model lacks.
            EngineError: the engine failed or is out of reach.
        """

    async def close(self) -> None:
        """Free the model's memory."""
