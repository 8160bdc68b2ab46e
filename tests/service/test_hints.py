"""Errors over HTTP tell clients what they can do, in no words of the terminal's chat."""

from __future__ import annotations

from pathlib import Path

from doceo.service.http import create_app
from tests.service.serving import host_in, plain, serving


def test_hints_name_no_commands_of_the_terminal(tmp_path: Path) -> None:
    host = host_in(tmp_path)
    talk = host.store.conversations.start("local")
    asked = {"model": "doceo-5m", "messages": [{"role": "user", "content": "When?"}]}
    with serving(create_app(host)) as address, plain() as web:
        for method, path, body, status in (
            ("GET", "/v1/conversations/none", None, 404),
            ("PATCH", "/v1/profiles/me/entries/none", {"text": "I like tea."}, 404),
            ("POST", "/v1/profiles/me/entries", {"text": " "}, 400),
            # the beginning of an id is no id
            ("POST", "/v1/chat/completions", {**asked, "conversation": talk.id[:8]}, 404),
        ):
            reply = web.request(method, address + path, json=body)
            assert reply.status_code == status, reply.text
            for command in ("/profile ", "/conversations lists", "/forget"):
                assert command not in reply.json()["error"]["message"]
