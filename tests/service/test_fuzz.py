"""Every route asked with values made from its own description: no failure of the server, no hang, no leak."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from doceo.service.http import create_app
from tests.service.serving import serving
from tests.service.two_owners import Objects, everything

pytestmark = pytest.mark.slow

_SECONDS = 20
"""Longest that an answer may take: nothing that is asked for here takes long."""
_TIMES = 60
"""Requests for each operation."""


@pytest.fixture(scope="module")
def objects(tmp_path_factory: pytest.TempPathFactory, indexed: Path) -> Objects:
    return everything(tmp_path_factory.mktemp("fuzz"), indexed)


@pytest.mark.timeout(1800)
def test_every_route_withstands_what_its_description_allows(objects: Objects) -> None:
    app = create_app(objects.host)
    with serving(app) as address:
        description = schemathesis.openapi.from_asgi("/openapi.json", app, headers={"Authorization": objects.bo})
        operations = [found.ok() for found in description.get_all_operations()]
        assert len(operations) > 30
        for operation in operations:
            ask(operation, address, objects)
        with httpx.Client(base_url=address, headers={"Authorization": objects.ana}) as ana:
            assert ana.get(f"/v1/files/{objects.ids['file_id']}").status_code == 200
            assert ana.get(f"/v1/conversations/{objects.ids['conversation_id']}").status_code == 200
            assert ana.get(f"/v1/vector_stores/{objects.ids['vector_store_id']}").status_code == 200


def ask(operation: Any, address: str, objects: Objects) -> None:
    """Ask one operation many times, with values that fit its description, and with others."""

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
        )
    )
    def one(case: Any) -> None:
        # names of the other owner's objects in half of all places: random ones are only ever unknown
        for name, value in objects.ids.items():
            if case.path_parameters and name in case.path_parameters and len(str(case.path_parameters[name])) % 2:
                case.path_parameters[name] = value
        reply = case.call(base_url=address, headers={"Authorization": objects.bo}, timeout=_SECONDS)
        assert reply.status_code < 500 or reply.status_code in (501, 507), f"{case.as_curl_command()}\n{reply.text}"
        assert "7134" not in reply.text, f"{case.as_curl_command()}\n{reply.text}"

    one()
