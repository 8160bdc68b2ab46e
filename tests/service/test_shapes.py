"""Numbers and nesting that JSON parsers let through, and that would break whoever works with them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from doceo.service.routes.generation import JobWanted as GenerationWanted
from doceo.service.routes.profiles import EntryWanted
from doceo.service.shapes.chat import CompletionRequest
from doceo.service.shapes.fine_tuning import JobWanted
from doceo.service.shapes.vector_stores import SearchWanted

CHAT = {"model": "m", "messages": [{"role": "user", "content": "x"}]}
JOB = {"model": "m", "training_file": "file-x"}


def nested(levels: int) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "integer"}
    for _ in range(levels):
        schema = {"properties": schema}
    return schema


def formed(schema: dict[str, Any]) -> dict[str, Any]:
    return {**CHAT, "response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}}


@pytest.mark.parametrize("word", ["NaN", "Infinity", "-Infinity", "1e999"])
@pytest.mark.parametrize(
    ("shape", "body"),
    [
        *((CompletionRequest, {**CHAT, name: 7}) for name in ("temperature", "top_p", "presence_penalty")),
        (CompletionRequest, {**CHAT, "frequency_penalty": 7}),
        (CompletionRequest, formed({"properties": {"a": {"enum": [1, 7]}}})),
        (JobWanted, {**JOB, "hyperparameters": {"learning_rate_multiplier": 7}}),
        (JobWanted, {**JOB, "method": {"type": "dpo", "dpo": {"hyperparameters": {"beta": 7}}}}),
        (JobWanted, {**JOB, "x_lora": {"learning_rate": 7}}),
        (GenerationWanted, {"max_cost": 7}),
        (GenerationWanted, {"kinds": {"how_to": 7}}),
        (EntryWanted, {"text": "x", "days": 7}),
        (SearchWanted, {"query": "x", "ranking_options": {"score_threshold": 7}}),
        (SearchWanted, {"query": "x", "ranking_options": {"hybrid_search": {"embedding_weight": 7, "text_weight": 1}}}),
    ],
    ids=str,
)
def test_no_number_is_taken_that_json_has_not(shape: type[BaseModel], body: dict[str, Any], word: str) -> None:
    text = json.dumps(body)
    assert text.count("7") == 1
    with pytest.raises(ValidationError) as caught:
        shape.model_validate(json.loads(text.replace("7", word)))
    assert "finite" in str(caught.value) or "infinity" in str(caught.value)


def test_a_schema_is_taken_as_it_is_up_to_a_depth() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "array", "items": {"enum": [1, 2.5, None, "x", True]}}}}
    assert CompletionRequest.model_validate(formed(schema)).form == schema
    assert CompletionRequest.model_validate(formed(nested(60))).form == nested(60)
    with pytest.raises(ValidationError, match="levels"):
        CompletionRequest.model_validate(formed(nested(65)))
    assert JobWanted.model_validate({**JOB, "x_lora": {"rank": 32, "method": "lora"}}).x_lora == {
        "rank": 32,
        "method": "lora",
    }
    with pytest.raises(ValidationError):
        JobWanted.model_validate({**JOB, "x_lora": {str(n): n for n in range(33)}})
