"""Keys: who may ask, what a key may do, how it ends, and that no route is without a lock."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openai
import pytest
from fastapi.routing import APIRoute
from typer.testing import CliRunner

from doceo.app.host import Host
from doceo.cli.main import app as program
from doceo.core.access import Caller, Scope
from doceo.core.errors import StorageError
from doceo.service import access
from doceo.service.access import Needs, may_search
from doceo.service.gate import OPEN
from doceo.service.http import create_app
from doceo.service.routes.measurements import may_measure
from tests.service.serving import client_of, host_in, plain, serving

WEB = plain()


@pytest.fixture(scope="module")
def host(indexed: Path, tmp_path_factory: pytest.TempPathFactory) -> Host:
    return host_in(tmp_path_factory.mktemp("home"), indexed)


@pytest.fixture(scope="module")
def address(host: Host) -> Iterator[str]:
    host.store.keys.create("nobody", "so that there is one", ())
    with serving(create_app(host, keyless=True)) as found:
        yield found


def made(host: Host, *scopes: Scope, owner: str = "ana", **limits: Any) -> tuple[str, str]:
    key, secret = host.store.keys.create(owner, "test", scopes, **limits)
    return key.id, secret


def test_a_key_is_needed_and_has_to_be_right(address: str, host: Host) -> None:
    _, secret = made(host, "chat")
    assert client_of(address, secret).models.list().data
    for wrong in ("dk-wrong", secret[:-1], secret + "x", secret.upper(), "none"):
        with pytest.raises(openai.AuthenticationError, match="Incorrect API key"):
            client_of(address, wrong).models.list()
    for header in ({}, {"Authorization": ""}, {"Authorization": secret}, {"Authorization": f"Basic {secret}"}):
        reply = WEB.get(f"{address}/v1/models", headers=header)
        assert (reply.status_code, reply.headers["www-authenticate"]) == (401, "Bearer")
        assert reply.json()["error"]["type"] == "invalid_request_error"
    assert WEB.get(f"{address}/v1/models", headers={"Authorization": f"bearer  {secret}"}).status_code == 200


def test_a_scope_is_needed(address: str, host: Host) -> None:
    _, secret = made(host, "chat")
    with pytest.raises(openai.PermissionDeniedError, match="lacks the scope ingest or train"):
        client_of(address, secret).files.list()
    _, everything = made(host, "admin")
    assert client_of(address, everything).files.list().data == []


def test_a_revoked_key_stops_within_a_second(address: str, host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    assert access.FRESH <= 1
    monkeypatch.setattr(access, "FRESH", 0.2)
    name, secret = made(host, "chat")
    client = client_of(address, secret)
    client.models.list()
    host.store.keys.revoke(name)
    time.sleep(0.25)
    with pytest.raises(openai.AuthenticationError):
        client.models.list()


def test_a_database_that_is_away_opens_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    host = host_in(tmp_path)

    def gone(*words: object) -> None:
        raise StorageError(f"{tmp_path} is away.", hint="Start it.")

    with serving(create_app(host)) as address:
        monkeypatch.setattr(host.store.keys, "any", gone)
        reply = WEB.get(f"{address}/v1/models")
    assert (reply.status_code, reply.json()["error"]["code"]) == (503, "storage")
    assert str(tmp_path) not in reply.text


def test_an_expired_key_ends_by_itself(address: str, host: Host) -> None:
    _, secret = made(host, "chat", expires=host.store.clock() + 0.2)
    client = client_of(address, secret)
    client.models.list()
    time.sleep(0.2)
    with pytest.raises(openai.AuthenticationError, match="expired"):
        client.models.list()


def test_nothing_is_open_but_whether_the_service_runs(address: str) -> None:
    for path in ("/openapi.json", "/metrics", "/v1/models", "/v1/nothing", "/", "/docs", "/healthz/", "//healthz"):
        assert WEB.get(address + path).status_code == 401, path
    for path in OPEN:
        assert WEB.get(address + path).status_code == 200, path


def scoped(route: APIRoute) -> bool:
    """Say whether a route asks for a scope."""
    waiting = list(route.dependant.dependencies)
    while waiting:
        one = waiting.pop()
        if isinstance(one.call, Needs) or one.call is may_measure:
            return True
        waiting += one.dependencies
    return False


def test_every_route_asks_for_a_scope(host: Host) -> None:
    routes = list(routes_of(create_app(host)))
    assert len(routes) > 5
    assert {route.path for route in routes if not scoped(route)} == set(OPEN)


def routes_of(app: Any) -> Iterator[APIRoute]:
    """Yield the routes of an application, those of the routers in it included."""
    for one in app.routes:
        if isinstance(one, APIRoute):
            yield one
        elif hasattr(one, "routes"):
            yield from routes_of(one)
        elif hasattr(one, "original_router"):
            yield from routes_of(one.original_router)


def test_without_keys_any_bearer_is_taken_until_there_is_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access, "FRESH", 0.1)
    host = host_in(tmp_path)
    with serving(create_app(host, keyless=True)) as address:
        assert client_of(address, "anything").models.list()
        assert WEB.get(f"{address}/v1/models").status_code == 200
        key, secret = host.store.keys.create("ana", "", ("chat",))
        time.sleep(0.15)
        assert WEB.get(f"{address}/v1/models").status_code == 401
        assert client_of(address, secret).models.list()
        host.store.keys.revoke(key.id)
        time.sleep(0.15)
        # revoking the last key does not open the service again
        assert WEB.get(f"{address}/v1/models").status_code == 401
    with serving(create_app(host_in(tmp_path / "other"), keyless=False)) as address:
        assert WEB.get(f"{address}/v1/models").status_code == 401


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "127.0.0.1.evil.example"},
        {"Host": "localhost.evil.example:80"},
        {"Host": "[::ffff:8.8.8.8]"},
        {"Host": ""},
        {"Origin": "http://evil.example"},
        {"Origin": "http://localhost:3000"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"X-Forwarded-For": "10.0.0.1"},
        {"Forwarded": "for=10.0.0.1"},
    ],
    ids=str,
)
def test_without_keys_other_sites_and_names_are_refused(headers: dict[str, str], open_address: str) -> None:
    reply = WEB.get(f"{open_address}/v1/models", headers=headers)
    assert reply.status_code == 403, reply.text
    assert reply.json()["error"]["code"] in {"foreign_host", "foreign_origin", "forwarded"}


def test_without_keys_this_machine_and_named_hosts_are_taken(open_address: str) -> None:
    port = open_address.rpartition(":")[2]
    for name in ("localhost", "127.0.0.1", f"localhost:{port}", "[::1]:80", "127.8.9.1", "box.lan", "BOX.lan:9"):
        assert WEB.get(f"{open_address}/v1/models", headers={"Host": name}).status_code == 200, name
    own = {"Host": f"localhost:{port}", "Origin": f"http://localhost:{port}", "Sec-Fetch-Site": "same-origin"}
    assert WEB.get(f"{open_address}/v1/models", headers=own).status_code == 200


@pytest.fixture(scope="module")
def open_address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving(create_app(host_in(tmp_path_factory.mktemp("open"), service={"hosts": ("box.lan",)}))) as found:
        yield found


def test_which_collections_a_key_may_search(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    host = host_in(tmp_path)
    owners = {"vs_1": "ana", "vs_2": "bo"}
    monkeypatch.setattr(host.store.owners, "of_collection", owners.get)

    def sees(*collections: str, scope: Scope = "chat") -> set[str]:
        caller = Caller(key="key_1", owner="ana", scopes=(scope,), collections=collections)
        names = ("", "default", "laws", "vs_1", "vs_2", "vs_gone")
        return {name for name in names if may_search(caller, host, name)}

    assert sees() == {"vs_1"}
    assert sees("*") == {"", "default", "laws", "vs_1"}
    assert sees("laws") == {"laws", "vs_1"}
    assert sees("default") == {"", "default", "vs_1"}
    assert sees("vs_2") == {"vs_1", "vs_2"}
    assert sees(scope="admin") == {"", "default", "laws", "vs_1", "vs_2", "vs_gone"}


def run(*words: str) -> Any:
    result = CliRunner().invoke(program, [*words, "--json"], prog_name="doceo")
    return json.loads(result.stdout)


def test_the_command_line_makes_lists_and_revokes() -> None:
    made = run("keys", "create", "--owner", "ana", "--scopes", "train,chat", "--collections", "a,b", "--expires", "2")
    assert made["secret"].startswith("dk-")
    assert len(made["secret"]) == 46
    assert (made["scopes"], made["collections"]) == (["chat", "train"], ["a", "b"])
    assert made["expires"] - made["created"] == pytest.approx(2 * 86400, abs=5)
    listed = run("keys", "list")
    assert made["secret"] not in json.dumps(listed)
    assert listed["keys"][0]["revoked"] is None
    assert run("keys", "revoke", made["id"])["revoked"] > 0
    assert run("keys", "list", "--owner", "ana")["keys"][0]["revoked"] > 0
    assert run("keys", "list", "--owner", "bo")["keys"] == []
    assert run("keys", "create", "--owner", "bo", "--collections", "")["collections"] == []
    # the secret is kept nowhere
    assert made["secret"].encode() not in Path("runs/.doceo.sqlite").read_bytes()


@pytest.mark.parametrize(
    "words",
    [
        ("create",),
        ("create", "--owner", "a", "--scopes", "all"),
        ("create", "--owner", "a", "--scopes", ""),
        ("create", "--owner", "a", "--expires", "0"),
    ],
    ids=" ".join,
)
def test_the_command_line_refuses_what_is_no_key(words: tuple[str, ...]) -> None:
    assert run("keys", *words)["error"]["code"] == "usage"


def test_the_command_line_makes_no_database_to_look_into(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert run("keys", "list") == {"keys": []}
    assert run("audit") == {"entries": []}
    assert "no database at" in run("keys", "revoke", "key_1")["error"]["message"]
    assert "no database at" in run("keys", "forget", "ana", "--yes")["error"]["message"]
    shown = CliRunner().invoke(program, ["keys", "list"], prog_name="doceo").stdout
    assert str(tmp_path / "runs" / ".doceo.sqlite") in shown
    assert [*tmp_path.iterdir()] == []


def test_a_collection_that_is_not_there_is_told_and_ids_stand_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    words = ["keys", "create", "--owner", "ana" * 20, "--name", "laptop " * 5, "--collections", "nope,default,*"]
    made = CliRunner().invoke(program, words, prog_name="doceo")
    assert "There is no collection or vector store nope yet" in made.stderr
    shown = CliRunner().invoke(program, ["keys", "list"], prog_name="doceo", env={"COLUMNS": "80"}).stdout
    (key,) = run("keys", "list")["keys"]
    (line,) = [line for line in shown.splitlines() if key["id"] in line]
    assert "ana" * 20 in line
    assert "laptop laptop" in line
