"""The HTTP application: routes, and Doceo's errors in OpenAI's form."""

from __future__ import annotations

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.routing import Match

from doceo.app.host import Host
from doceo.core.errors import DoceoError, RateLimited
from doceo.service.failures import failure
from doceo.service.invalid import invalid
from doceo.service.protection import lifespan, protect
from doceo.service.refusals import Refusal
from doceo.service.replies.errors import REFUSED
from doceo.service.routes import (
    absent,
    chat,
    conversations,
    embeddings,
    evaluation,
    files,
    fine_tuning,
    generation,
    health,
    measurements,
    models,
    profiles,
    vector_store_batches,
    vector_store_files,
    vector_stores,
)
from doceo.service.spans import Spans

ROUTERS = (
    health.router,
    measurements.router,
    models.router,
    chat.router,
    embeddings.router,
    files.router,
    vector_stores.router,
    vector_store_files.router,
    vector_store_batches.router,
    conversations.router,
    profiles.router,
    fine_tuning.router,
    fine_tuning.permissions,
    generation.router,
    evaluation.router,
    absent.router,  # what no other router has
)


def create_app(host: Host, spans: Spans | None = None, *, keyless: bool = True) -> FastAPI:
    """Return the application.

    Args:
        host: What it works with.
        spans: Where requests are traced.
        keyless: Whether anybody may ask while no key exists: only where nobody but this machine can connect.
    """
    app = FastAPI(
        title="Doceo",
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan(host),
        # traces and logs of the framework hold what was asked, and go wherever a library in this process has set up
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
    )
    for router in ROUTERS:
        app.include_router(router, responses={} if router is health.router else REFUSED)
    protect(app, host, spans or Spans(), keyless=keyless)
    app.add_exception_handler(DoceoError, _doceo_error)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(UnicodeEncodeError, _no_text)
    app.add_exception_handler(Exception, _unforeseen)
    return app


def _doceo_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, DoceoError)
    if isinstance(error, RateLimited):
        # as where the service itself has no place: nothing for the audit log
        request.state.busy = True
        request.app.state.metrics.refused("busy")
    return failure(request, error).response()


def _invalid(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    return invalid(error).response()


def _no_text(request: Request, error: Exception) -> JSONResponse:
    """Refuse what JSON can hold and no text can: half of a surrogate pair."""
    return Refusal(400, "The request holds half of a surrogate pair, which is no character.").response()


def _http_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    if isinstance(error, Refusal):
        return error.response()
    nothing = f"There is nothing at {request.method} {request.url.path}{_meant(request)}"
    message = nothing if error.detail == "Not Found" else error.detail
    code = "not_found" if error.status_code == 404 else None
    return Refusal(error.status_code, message, code=code, headers=error.headers).response()


def _meant(request: Request) -> str:
    """Return the rest of a sentence: the path that was meant, where only its beginning is missing."""
    path = f"/v1{request.url.path}"
    scope = {**request.scope, "path": path}
    routes = [route for router in ROUTERS for route in router.routes if getattr(route, "include_in_schema", False)]
    return f"; did you mean {path}?" if any(route.matches(scope)[0] is Match.FULL for route in routes) else "."


def _unforeseen(request: Request, error: Exception) -> JSONResponse:
    """Answer what nobody foresaw; the server's log has the traceback, under the same id."""
    name = request.state.request_id
    message = f"Something unforeseen happened; the log of the service says more of {name}."
    return Refusal(500, message, kind="server_error", code="unforeseen", headers={"x-request-id": name}).response()
