"""The HTTP application: routes, and Doceo's errors in OpenAI's form."""

from __future__ import annotations

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from doceo.app.host import Host
from doceo.core.errors import AuthenticationFailed, DoceoError, ModelNotFound, RateLimited, RequestRejected, Unreachable
from doceo.service.routes import chat, health, models

_STATUS: dict[type[DoceoError], int] = {
    RequestRejected: 400,
    ModelNotFound: 404,
    RateLimited: 429,
    AuthenticationFailed: 502,
    Unreachable: 502,
}


def create_app(host: Host) -> FastAPI:
    """Return the application."""
    app = FastAPI(title="Doceo", docs_url=None, redoc_url=None)
    app.state.host = host
    for router in (health.router, models.router, chat.router):
        app.include_router(router)
    app.add_exception_handler(DoceoError, _doceo_error)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http_error)
    return app


def error_body(message: str, kind: str, code: str | None, param: str | None = None) -> dict[str, object]:
    """Return an error in OpenAI's form."""
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


def _doceo_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, DoceoError)
    status = next((status for kind, status in _STATUS.items() if isinstance(error, kind)), 500)
    kind = "invalid_request_error" if status < 500 else "server_error"
    return JSONResponse(error_body(f"{error.message} {error.hint}", kind, error.code), status)


def _invalid(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"] if part != "body")
    return JSONResponse(error_body(f"{place}: {first['msg']}", "invalid_request_error", "invalid_value", place), 400)


def _http_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    message = (
        error.detail if error.detail != "Not Found" else f"There is nothing at {request.method} {request.url.path}."
    )
    return JSONResponse(
        error_body(message, "invalid_request_error", "not_found" if error.status_code == 404 else None),
        error.status_code,
    )
