"""Every route asked with values made from its own description: no failure of the server, no hang, no leak."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from doceo.service.http import create_app
from doceo.service.shapes.chat import _REFUSED
from tests.service.serving import serving
from tests.service.two_owners import Objects, everything, objects_of

pytestmark = pytest.mark.slow

_SECONDS = 60
"""Longest that an answer may take: nothing that is asked for here takes long."""
_TIMES = 30
"""Requests for each operation and each owner of what it names."""
QUESTION = {"role": "user", "content": "When was the Bryne ferry opened?"}
ROWS = b"".join(
    json.dumps({"messages": [{"role": "user", "content": f"{n}?"}, {"role": "assistant", "content": f"{n}."}]}).encode()
    + b"\n"
    for n in range(20)
)
REACHED = {
    "POST /v1/chat/completions", "POST /v1/embeddings", "POST /v1/fine_tuning/jobs", "POST /v1/generation/jobs",
    "POST /v1/vector_stores", "POST /v1/vector_stores/{vector_store_id}/search", "POST /v1/conversations",
    "GET /v1/files/{file_id}", "POST /v1/profiles/me/entries",
}  # fmt: skip
"""Operations of which at least one request has to come through: else nothing behind their first check was tried."""


@pytest.fixture(scope="module")
def objects(tmp_path_factory: pytest.TempPathFactory, indexed: Path) -> Objects:
    return everything(tmp_path_factory.mktemp("fuzz"), indexed, answer={"max_tokens": 4})


@pytest.mark.timeout(3600)
def test_every_route_withstands_what_its_description_allows(objects: Objects) -> None:
    app = create_app(objects.host)
    statuses: dict[str, set[int]] = defaultdict(set)
    with serving(app) as address:
        description = schemathesis.openapi.from_asgi("/openapi.json", app, headers={"Authorization": objects.bo})
        operations = [found.ok() for found in description.get_all_operations()]
        assert len(operations) > 30
        for operation in operations:
            own = objects_of(objects.host, "bo", b"Bo wrote this down in 1903.\n") | {"rows": rows_of(objects)}
            # random names are only ever unknown
            for ids in (own, objects.ids, {}):
                asked = ask(operation, address, objects, ids, bodies=ids is own)
                statuses[f"{operation.method.upper()} {operation.path}"] |= asked
        assert {name for name in REACHED if 200 not in statuses[name]} == set()
        with httpx.Client(base_url=address, headers={"Authorization": objects.ana}) as ana:
            assert ana.get(f"/v1/files/{objects.ids['file_id']}").status_code == 200
            assert ana.get(f"/v1/conversations/{objects.ids['conversation_id']}").status_code == 200
            assert ana.get(f"/v1/vector_stores/{objects.ids['vector_store_id']}").status_code == 200


def rows_of(objects: Objects) -> str:
    """Return the id of a file of Bo's to train on."""
    with objects.host.uploads.receiving() as incoming:
        incoming.write(ROWS)
        return objects.host.uploads.keep(incoming, "bo", "rows.jsonl", "fine-tune").id


def ask(operation: Any, address: str, objects: Objects, ids: dict[str, str], *, bodies: bool) -> set[int]:
    """Ask one operation many times, with values that fit its description, and with others.

    Args:
        operation: What is asked.
        address: Where the server is.
        objects: The keys.
        ids: The objects that its path names; a made-up name stays where there is none.
        bodies: Whether its body names them too.

    Returns:
        The statuses it answered with.
    """
    statuses: set[int] = set()

    @settings(
        max_examples=_TIMES,
        deadline=None,
        database=None,
        derandomize=True,
        phases=(Phase.explicit, Phase.generate),
        suppress_health_check=list(HealthCheck),
    )
    @given(
        st.one_of(
            operation.as_strategy(generation_mode=schemathesis.GenerationMode.POSITIVE),
            operation.as_strategy(generation_mode=schemathesis.GenerationMode.NEGATIVE),
        ),
        st.booleans(),
    )
    def one(case: Any, full: bool) -> None:
        for name in set(ids) & set(case.path_parameters or ()):
            case.path_parameters[name] = ids[name]
        if bodies and isinstance(case.body, dict):
            fill(operation.path, case.body, ids, full=full)
            # one key for several bodies is refused
            case.headers.pop("Idempotency-Key", None)
        reply = case.call(base_url=address, headers={"Authorization": objects.bo}, timeout=_SECONDS)
        statuses.add(reply.status_code)
        assert reply.status_code < 500 or reply.status_code in (501, 507), f"{case.as_curl_command()}\n{reply.text}"
        assert "number 7134" not in reply.text, f"{case.as_curl_command()}\n{reply.text}"

    one()
    return statuses


_FILLED: dict[str, tuple[tuple[str, ...], dict[str, Any]]] = {
    "/v1/embeddings": (("dimensions",), {"model": "all-MiniLM-L6-v2", "input": ["When was it opened?"]}),
    "/v1/fine_tuning/jobs": (
        ("validation_file", "integrations", "x_lora"),
        {"model": "doceo-5m", "training_file": "{rows}"},
    ),
    "/v1/generation/jobs": (("vector_store", "teacher"), {"files": ["{file_id}"], "formats": ["csv"]}),
    "/v1/evaluation/jobs": ((), {"models": ["doceo-5m", "quote+rag"]}),
    "/v1/vector_stores": ((), {"file_ids": ["{file_id}"]}),
    "/v1/vector_stores/{vector_store_id}/file_batches": (("files",), {"file_ids": ["{file_id}"]}),
    "/v1/vector_stores/{vector_store_id}/files": ((), {"file_id": "{file_id}"}),
}
"""By path, what is left out of a body and what is put in: what comes then is behind the first checks of its route."""


def fill(path: str, body: dict[str, Any], own: dict[str, str], *, full: bool) -> None:
    """Name in a body what there is, and leave out what is refused always; all that was made up, unless `full`."""
    if path == "/v1/chat/completions":
        fill_chat(body, own, full=full)
    elif path in _FILLED:
        left_out, put_in = _FILLED[path]
        for name in left_out if full else [*body]:
            body.pop(name, None)
        text = json.dumps(put_in)
        for name, value in own.items():
            text = text.replace(f"{{{name}}}", value)
        body |= json.loads(text)


def fill_chat(body: dict[str, Any], own: dict[str, str], *, full: bool) -> None:
    """As `fill`."""
    for name in (*_REFUSED, "modalities", "collection", "response_format", "stop"):
        body.pop(name, None)
    given = body.get("messages")
    body["messages"] = [*(given if isinstance(given, list) else ()), QUESTION]
    body["model"] = ("quote+library", "doceo-5m")[full]
    body["conversation"] = ("new", own["conversation_id"])[full] if body.get("n") in (None, 1) else None
