"""What clients have sent and got before is answered the same way, without the client."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import pytest

from doceo.service.http import create_app
from tests.service.exchanges import FOLDER, Names, answer
from tests.service.keeping import keeping_host
from tests.service.serving import serving


@pytest.mark.parametrize("name", sorted(path.stem for path in FOLDER.glob("*.json")))
def test_a_recorded_talk_goes_the_same_way(name: str, tmp_path: Path) -> None:
    exchanges = json.loads((FOLDER / f"{name}.json").read_text())["exchanges"]
    assert len(exchanges) > 5
    names = Names()
    with serving(create_app(keeping_host(tmp_path))) as address, httpx.Client(base_url=address) as client:
        for number, exchange in enumerate(exchanges):
            method, path = names.show(exchange["request"]).split(" ", 1)
            headers = {"Content-Type": exchange["content_type"]} if exchange["content_type"] else {}
            reply = client.request(method, path, content=names.show(exchange["body"]).encode(), headers=headers)
            told = f"{number}: {exchange['request']}"
            assert (told, reply.status_code) == (told, exchange["status"]), reply.text
            assert answer(reply, names) == exchange["response"], told
