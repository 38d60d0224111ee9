"""The CodeGeeX2 demo's protocol: `POST /` with a language and a prompt.

Differs: `max_length` counts new tokens (the original counts the prompt's too, and answers nothing when the prompt
alone is longer); the answer is the completion without the prompt; a request never blocks another.

References:
    CodeGeeX2, `demo/fastapicpu.py` and its README.
"""

from __future__ import annotations

import datetime

from fastapi import APIRouter
from pydantic import Field
from starlette.responses import JSONResponse, Response

from tabwright.assistant import Cursor, find_language
from tabwright.sampling import SamplingOptions
from tabwright.serving.protocols.fields import Count, RequestBody, Temperature, Text, TopK, TopP, documented
from tabwright.serving.protocols.gathering import gather
from tabwright.serving.service import Serving

router = APIRouter(tags=["CodeGeeX2"])

_TIME = "%Y-%m-%d %H:%M:%S"


class CodeGeeXRequest(RequestBody):
    """What the CodeGeeX2 demo's clients send."""

    prompt: Text
    lang: Text = Field("None", description='a language whose tag line comes first; "None" adds none')
    max_length: Count = Field(128, description="the most new tokens")
    top_p: TopP = 0.95
    temperature: Temperature = 0.2
    top_k: TopK = 0


_ERROR = {"response": "", "error": "unknown language 'Pyton'; ...", "status": 422, "time": "2026-01-01 12:00:00"}
_EXAMPLE = {"response": "\ndef sort(a):", "lang": "Python", "status": 200, "time": "2026-01-01 12:00:00"}


@router.post("/", summary="Write code", responses=documented(_EXAMPLE, _ERROR))
async def write(body: CodeGeeXRequest, service: Serving) -> Response:
    """Go on with a prompt in a language."""
    language = None if body.lang in ("None", "") else find_language(body.lang)
    prompt = body.prompt
    if language is not None and not prompt.lstrip().startswith(language.tag):
        prompt = f"{language.tag}\n{prompt}"
    options = SamplingOptions(
        max_tokens=body.max_length, temperature=body.temperature, top_p=body.top_p, top_k=body.top_k
    )
    (answer,) = await gather(service.suggest(Cursor(prefix=prompt, language=language), options), 1)
    now = datetime.datetime.now().strftime(_TIME)
    return JSONResponse({"response": answer.text, "lang": body.lang, "status": 200, "time": now})
