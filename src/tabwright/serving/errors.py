"""Errors in each protocol's own shape: an exception and a path in, a status and a JSON body out. Never a traceback."""

from __future__ import annotations

import datetime
import logging
import traceback
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from tabwright.assistant import UnknownLanguageError
from tabwright.sampling import EngineError, LengthError, PromptError

_LOG = logging.getLogger(__name__)
_LLAMA_CPP_PATHS = frozenset({"/infill", "/props", "/health"})
_KINDS = {
    401: ("authentication_error", "invalid_api_key"),
    403: ("permission_error", "foreign_origin"),
    404: ("not_found_error", "not_found"),
    429: ("rate_limit_error", "queue_full"),
    503: ("server_error", "engine_unavailable"),
}


_HTTP_MESSAGES = {
    404: "there is nothing at this path; /docs lists what there is",
    405: "this path does not take that method; /docs lists what there is",
}
_FIELDS = {"/": {"max_tokens": "max_length"}, "/infill": {"max_tokens": "n_predict"}}


class ApiError(Exception):
    """What a client is told: a status, a one-line message, and the field that it is about."""

    def __init__(
        self, status: int, message: str, *, param: str | None = None, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.param = param
        self.headers = dict(headers or {})


def as_api_error(error: BaseException) -> ApiError:
    """Return what a client may know of an exception; one that nobody foresaw is logged without its message."""
    match error:
        case ApiError():
            return error
        case LengthError():
            return ApiError(400, str(error), param="max_tokens")
        case PromptError():
            return ApiError(400, str(error), param="prompt")
        case EngineError():
            return ApiError(503, str(error))
        case UnknownLanguageError():
            return ApiError(422, str(error), param="lang")
        case RequestValidationError():
            return _of_validation(error.errors())
        case HTTPException():
            message = _HTTP_MESSAGES.get(error.status_code, str(error.detail))
            return ApiError(error.status_code, message, headers=error.headers)
        case _:
            # The message and the values may hold a prompt; the places in the code do not.
            places = "".join(traceback.format_tb(error.__traceback__))
            _LOG.error("%s while answering a request, at:\n%s", type(error).__name__, places)
            return ApiError(500, f"the server failed ({type(error).__name__}); its log says where")


def error_body(path: str, error: ApiError) -> dict[str, Any]:
    """Return the JSON body of an error, as the clients of that path expect it."""
    if path == "/":
        now = datetime.datetime.now().strftime("%Y-%m-%d %H:%M:%S")
        return {"response": "", "error": error.message, "status": error.status, "time": now}
    kind, code = _KINDS.get(error.status, ("invalid_request_error" if error.status < 500 else "server_error", None))
    if path in _LLAMA_CPP_PATHS:
        return {"error": {"code": error.status, "message": error.message, "type": kind}}
    return {"error": {"message": error.message, "type": kind, "param": error.param, "code": code}}


def error_response(path: str, error: BaseException) -> JSONResponse:
    """Return the answer to a request that failed."""
    known = _in_the_words_of(path, as_api_error(error))
    # The CodeGeeX2 protocol says nothing of bad input; 422 is what its framework answers.
    status = 422 if path == "/" and known.status == 400 else known.status
    known = ApiError(status, known.message, param=known.param, headers=known.headers)
    return JSONResponse(error_body(path, known), status_code=status, headers=known.headers)


def _in_the_words_of(path: str, error: ApiError) -> ApiError:
    """Name the field as that path's protocol does."""
    name = _FIELDS.get(path, {}).get(error.param or "")
    if name is None:
        return error
    message = error.message.replace(f"{error.param}:", f"{name}:", 1)
    return ApiError(error.status, message, param=name, headers=error.headers)


def shown(value: object) -> str:
    """Return a value as an error may show it: short, and ASCII whatever it holds."""
    text = ascii(value) if isinstance(value, str | int | float | bool | None) else f"a {type(value).__name__}"
    return text if len(text) <= 60 else f"{text[:57]}..."


def _of_validation(errors: Sequence[Mapping[str, Any]]) -> ApiError:
    first = errors[0]
    if first["type"] == "json_invalid":
        return ApiError(400, f"the body is not JSON ({first['ctx']['error']}); send one JSON object", param=None)
    field = _field(first["loc"])
    if field is None:
        return ApiError(400, "the body must be a JSON object; send one with Content-Type: application/json")
    if first["type"] == "missing":
        return ApiError(400, f"{field}: this field is missing; send it", param=field)
    message = str(first["msg"]).removeprefix("Value error, ")
    return ApiError(400, f"{field}: {message[:1].lower()}{message[1:]}; got {shown(first['input'])}", param=field)


def _field(loc: Sequence[int | str]) -> str | None:
    """Return `stop[0]` for ("body", "stop", 0); the tags of a union and the names of validators are not in the path."""
    parts = [part for at, part in enumerate(loc) if at > 0 and _is_of_client(part)]
    name = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts).lstrip(".")
    return ascii(name)[1:-1][:100] or None


def _is_of_client(part: int | str) -> bool:
    """Whether a client knows this step of a path: not a tag, nor a name such as `function-after[_whole(), str]`."""
    return isinstance(part, int) or (part.isidentifier() and part not in ("openai", "tabby"))
