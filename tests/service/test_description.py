"""`/openapi.json` says what the service answers; every test that serves it compares the two (`serving`)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from fastapi.responses import JSONResponse

from doceo.service.http import create_app
from tests.service.description import Description
from tests.service.serving import host_in, plain, serving

FILE = {
    "id": "file-1", "object": "file", "bytes": 1, "created_at": 1, "expires_at": None, "filename": "a.md",
    "purpose": "assistants", "status": "processed", "status_details": None, "sha256": "00",
}  # fmt: skip
ERROR = {"error": {"message": "No.", "type": "invalid_request_error", "param": None, "code": None}}


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return create_app(host_in(tmp_path_factory.mktemp("home"))).openapi()


def operations(document: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return [
        (f"{method} {path}", operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]


def test_every_route_says_what_it_answers_and_how_it_refuses(document: dict[str, Any]) -> None:
    named = {"400", "401", "403", "404", "408", "413", "429", "503", "507", "default"}
    for name, operation in operations(document):
        answers = operation["responses"]
        assert "422" not in answers, name
        if name in ("get /healthz", "get /readyz"):
            continue
        assert named <= answers.keys(), name
        assert operation["security"] == [{"HTTPBearer": []}], name
        for status in answers.keys() - {"200"}:
            schema = answers[status]["content"]["application/json"]["schema"]
            assert schema["$ref"] == "#/components/schemas/ErrorReply", (name, status)
        for kind, content in answers.get("200", {"content": {}})["content"].items():
            assert kind != "application/json" or "$ref" in content["schema"], f"{name}: any object"


def test_streams_and_files_are_described_as_what_they_are(document: dict[str, Any]) -> None:
    kinds = {
        name: {*operation["responses"].get("200", {}).get("content", ())} for name, operation in operations(document)
    }
    both = {"application/json", "text/event-stream"}
    assert kinds["post /v1/chat/completions"] == both
    assert kinds["get /v1/fine_tuning/jobs/{job_id}/events"] == both
    assert kinds["get /v1/files/{file_id}/content"] == {"application/octet-stream"}
    assert kinds["get /metrics"] == {"text/plain"}


@pytest.mark.parametrize(
    ("status", "kind", "body", "wrong"),
    [
        (200, "application/json", FILE, ""),
        (404, "application/json", ERROR, ""),
        (500, "application/json", ERROR, ""),
        (200, "application/json", {**FILE, "owner": "ana"}, "'owner' was unexpected"),
        (200, "application/json", {**FILE, "bytes": "1"}, "$.bytes: '1' is not of type 'integer'"),
        (200, "application/json", {name: FILE[name] for name in FILE if name != "sha256"}, "'sha256' is a required"),
        (422, "application/json", {"detail": []}, "not described"),
        (404, "application/json", {"detail": "Not Found"}, "'error' is a required"),
        (200, "text/html", FILE, "not as text/html"),
    ],
)
def test_what_does_not_fit_is_found(
    document: dict[str, Any], status: int, kind: str, body: dict[str, Any], wrong: str
) -> None:
    description = Description(json.loads(json.dumps(document)))
    said = description.wrong("GET", "/v1/files/file-1", status, kind, json.dumps(body).encode())
    assert wrong in said if wrong else not said
    assert not description.wrong("GET", "/v1/unknown", status, kind, b"{}")


def test_a_test_that_serves_fails_where_an_answer_does_not_fit(tmp_path: Path) -> None:
    app = create_app(host_in(tmp_path))

    @app.middleware("http")
    async def change(request: Any, ask: Any) -> Any:
        return JSONResponse({"object": "list", "data": [], "more": False})

    with pytest.raises(AssertionError, match="'more' was unexpected"), serving(app) as address:
        plain().get(f"{address}/v1/models")
