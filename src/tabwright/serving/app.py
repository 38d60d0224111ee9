"""One engine in, one FastAPI application out: every protocol's routes, the page, metrics and documentation."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.staticfiles import StaticFiles

import tabwright
from tabwright.assistant import UnknownLanguageError
from tabwright.sampling import Engine, EngineError
from tabwright.serving.auth import AuthMiddleware
from tabwright.serving.documentation import documentation_page
from tabwright.serving.errors import ApiError, error_response
from tabwright.serving.lifeline import LifelineMiddleware, ObserveMiddleware
from tabwright.serving.metrics import Metrics
from tabwright.serving.protocols import chat, completions, llamacpp, page, tabby
from tabwright.serving.protocols.codegeex import router as demo_router
from tabwright.serving.service import Service
from tabwright.serving.settings import ServingSettings

_PAGE = Path(__file__).with_name("page")
_PAGE_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; style-src 'self' 'unsafe-inline'; connect-src 'self'; img-src 'self' data:"
    ),
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}
_DESCRIPTION = "Completions, suggestions and chat from one model, over the protocols that editors and clients speak."


def create_app(engine: Engine, settings: ServingSettings) -> FastAPI:
    """Return the application that serves an engine. Whoever started the engine closes it."""
    metrics = Metrics()
    service = Service(engine, settings, metrics)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[None, None]:
        yield
        service.stop_warming()

    app = FastAPI(
        title="Tabwright",
        version=tabwright.__version__,
        description=_DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
    )
    app.state.service = service
    for router in (completions.router, chat.router, demo_router, llamacpp.router, tabby.router, page.router):
        app.include_router(router)
    _add_pages(app, metrics)
    for kind in (ApiError, EngineError, UnknownLanguageError, RequestValidationError, HTTPException):
        app.add_exception_handler(kind, _on_error)
    # The last one added sees a request first.
    app.add_middleware(LifelineMiddleware, settings=settings, metrics=metrics)
    app.add_middleware(AuthMiddleware, settings=settings)
    app.add_middleware(ObserveMiddleware, metrics=metrics)
    return app


def _add_pages(app: FastAPI, metrics: Metrics) -> None:
    @app.api_route("/", methods=["GET", "HEAD"], include_in_schema=False)
    async def index() -> Response:
        return FileResponse(_PAGE / "index.html", headers=_PAGE_HEADERS)

    @app.get("/icon.svg", include_in_schema=False)
    async def icon() -> Response:
        return FileResponse(_PAGE / "icon.svg")

    @app.get("/docs", include_in_schema=False)
    async def docs() -> Response:
        return HTMLResponse(documentation_page(app.openapi()), headers=_PAGE_HEADERS)

    @app.head("/metrics", include_in_schema=False)
    @app.get("/metrics", tags=["Server"], summary="Prometheus metrics", response_class=Response)
    async def measured() -> Response:
        return Response(metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")

    app.mount("/assets", StaticFiles(directory=_PAGE / "assets", check_dir=False))


async def _on_error(request: Request, error: Exception) -> Response:
    return error_response(request.url.path, error)
