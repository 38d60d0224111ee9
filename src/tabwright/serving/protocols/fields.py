"""Fields that the protocols share: their types, bounds and documentation; limits that are settings are not here."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema, model_validator

Temperature = Annotated[float, Field(ge=0, le=100, allow_inf_nan=False, description="0 is greedy")]
TopP = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False, description="nucleus sampling; 1 keeps all")]
TopK = Annotated[int, Field(ge=0, le=2**31 - 1, description="keep the k most probable tokens; 0 keeps all")]
Seed = Annotated[int, Field(ge=-(2**63), lt=2**64, description="the same seed gives the same text")]
Count = Annotated[int, Field(ge=1, le=2**31 - 1)]
# llama.cpp's clients say -1 where they set no limit.
MaxTokens = Annotated[int, Field(ge=-1, le=2**31 - 1, description="-1 is as many as there is room for")]


def _whole(text: str) -> str:
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            raise ValueError("half of a surrogate pair is not text; send whole characters") from None
    return text


Text = Annotated[str, AfterValidator(_whole)]


class RequestBody(BaseModel):
    """A JSON object. Fields that it does not know are ignored, and null is as good as leaving a field out."""

    model_config = ConfigDict(extra="ignore")

    @model_validator(mode="before")
    @classmethod
    def _drop_nulls(cls, data: Any) -> Any:
        return {key: value for key, value in data.items() if value is not None} if isinstance(data, dict) else data


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _stops(stops: list[str]) -> tuple[str, ...]:
    if len(stops) > 16:
        raise ValueError(f"at most 16 stop strings are allowed, not {len(stops)}; send fewer")
    if any(len(stop) > 1000 for stop in stops):
        raise ValueError("a stop string has at most 1000 characters; send a shorter one")
    return tuple(dict.fromkeys(stop for stop in stops if stop))


def _text_or_texts(example: object) -> WithJsonSchema:
    texts = {"type": "array", "items": {"type": "string"}}
    return WithJsonSchema({"anyOf": [{"type": "string"}, texts], "examples": [example]})


def _no_token_ids(value: Any) -> Any:
    first = value[0] if isinstance(value, list) and value else None
    if isinstance(first, int | list):
        raise ValueError("token ids are not supported; send the prompt as text")
    return _as_list(value)


Stops = Annotated[list[Text], BeforeValidator(_as_list), AfterValidator(_stops), _text_or_texts("\n\n")]
Texts = Annotated[
    list[Text], Field(min_length=1), BeforeValidator(_no_token_ids), _text_or_texts("def add(a, b):\n    ")
]


def documented(example: object, error: object, *, stream: bool = False) -> dict[int | str, dict[str, Any]]:
    """Return the `responses` of a route: what it answers, and how it says that something is wrong."""
    content: dict[str, Any] = {"application/json": {"example": example}}
    if stream:
        content["text/event-stream"] = {"schema": {"type": "string"}}
    bad = {"application/json": {"example": error}}
    return {
        200: {"description": "Done", "content": content},
        "4XX": {"description": "Bad input, not authenticated, or the queue is full (429)", "content": bad},
        "5XX": {"description": "The engine is out of reach or too slow", "content": bad},
    }


OPENAI_ERROR = {
    "error": {
        "message": "max_tokens: 9999999 is over this server's limit of 4096 new tokens; ask for fewer",
        "type": "invalid_request_error",
        "param": "max_tokens",
        "code": None,
    }
}
