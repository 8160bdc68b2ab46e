"""What a request that has not the form of its route is told, and where in it the fault is."""

from __future__ import annotations

from typing import Annotated, Any

import pytest
from fastapi import FastAPI, Query
from fastapi.exceptions import RequestValidationError
from fastapi.testclient import TestClient
from starlette.requests import Request
from starlette.responses import Response

from doceo.service.invalid import invalid
from doceo.service.shapes.chat import CompletionRequest
from doceo.service.shapes.conversations import ConversationWanted
from doceo.service.shapes.fine_tuning import JobWanted

IMAGE = {"type": "image_url", "image_url": {"url": "http://x/y.png"}}
TUNE = {"model": "doceo-5m", "training_file": "file-1"}
READ_TEXT = "is not read here; only text is"


@pytest.fixture(scope="module")
def client() -> TestClient:
    app = FastAPI()

    @app.exception_handler(RequestValidationError)
    def refused(request: Request, error: RequestValidationError) -> Response:
        return invalid(error).response()

    @app.post("/chat")
    def chat(asked: CompletionRequest) -> None: ...

    @app.post("/talk")
    def talk(wanted: ConversationWanted) -> None: ...

    @app.post("/tune")
    def tune(wanted: JobWanted) -> None: ...

    @app.post("/page")
    def page(limit: Annotated[int, Query(ge=1)]) -> None: ...

    return TestClient(app)


def said(content: object) -> dict[str, Any]:
    return {"model": "quote", "messages": [{"role": "user", "content": content}]}


@pytest.mark.parametrize(
    ("path", "body", "param", "words"),
    [
        ("/chat", said([{"type": "text", "text": "x"}, IMAGE]), "messages[0].content[1]", f"image_url {READ_TEXT}"),
        ("/chat", said(7), "messages[0].content", "Input should be a valid string"),
        ("/chat", said([{"type": "text"}]), "messages[0].content[0].text", "Field required"),
        ("/chat", {"model": "quote"}, "messages", "Field required"),
        (
            "/talk",
            {"items": [{"role": "user", "content": [{"type": "input_image"}]}]},
            "items[0].content[0].type",
            f"input_image {READ_TEXT}",
        ),
        ("/page?limit=0", {}, "limit", "Input should be greater than or equal to 1"),
        ("/talk", {"metadata": {"k": 3}}, "metadata.k", "Input should be a valid string"),
        (
            "/tune",
            {**TUNE, "hyperparameters": {"n_epochs": 0}},
            "hyperparameters.n_epochs",
            "Input should be greater than or equal to 1",
        ),
        ("/tune", {**TUNE, "integrations": [{"type": "wandb"}]}, "integrations[0].wandb", "Field required"),
    ],
)
def test_the_place_of_a_fault_is_in_the_request(
    client: TestClient, path: str, body: object, param: str, words: str
) -> None:
    reply = client.post(path, json=body)
    assert reply.status_code == 400
    assert reply.json()["error"]["param"] == param
    assert reply.json()["error"]["message"] == f"{param}: {words}"


@pytest.mark.parametrize(
    ("body", "kind", "begin"),
    [
        ("{}", "", "The body has to be a JSON object"),
        ("[]", "application/json", "The body has to be a JSON object"),
        ("", "application/json", "The body has to be a JSON object"),
        ('{"a": }', "application/json", "The body is not JSON (character 6)"),
    ],
)
def test_what_is_no_json_object_is_said_so(client: TestClient, body: str, kind: str, begin: str) -> None:
    error = client.post("/chat", content=body, headers={"Content-Type": kind} if kind else {}).json()["error"]
    assert error["message"].startswith(begin)
    assert "Content-Type: application/json" in error["message"]
    assert error["param"] is None
