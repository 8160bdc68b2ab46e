"""One test for each class of holes that servers of this kind were found to have, named after the advisories."""

from __future__ import annotations

import ast
import http.client
import json
import re
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

import httpx
import pytest

from doceo.app.store.keys import new_secret
from doceo.core.errors import InputError
from doceo.service.gate import OPEN
from doceo.service.http import create_app
from doceo.service.listening import is_loopback
from prompts.catalog import Catalog
from tests.service.serving import client_of, plain, serving
from tests.service.two_owners import CANARY, Objects, everything

WEB = plain()

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("doceo", "generator", "finetune", "rag", "evaluation", "prompts", "data")


class Operation(NamedTuple):
    """A method of a path with parameters."""

    method: str
    path: str

    def at(self, ids: dict[str, str]) -> str:
        """Return the path with its parameters filled in."""
        return re.sub(r"\{(\w+)\}", lambda found: quote(ids[found[1]], safe=""), self.path)


@pytest.fixture(scope="module")
def objects(tmp_path_factory: pytest.TempPathFactory, indexed: Path) -> Objects:
    return everything(tmp_path_factory.mktemp("two"), indexed)


@pytest.fixture(scope="module")
def app(objects: Objects) -> Any:
    return create_app(objects.host)


@pytest.fixture(scope="module")
def address(app: Any) -> Iterator[str]:
    with serving(app) as found:
        yield found


@pytest.fixture(scope="module")
def operations(app: Any) -> list[Operation]:
    paths = app.openapi()["paths"]
    return [Operation(method.upper(), path) for path, methods in paths.items() for method in methods]


@pytest.fixture(scope="module")
def client(address: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=address, timeout=20) as found:
        yield found


BODIES: dict[str, dict[str, Any]] = {
    "/v1/vector_stores/{vector_store_id}/search": {"query": "secret"},
    "/v1/vector_stores/{vector_store_id}/files": {"file_id": "file-x"},
    "/v1/vector_stores/{vector_store_id}/files/{file_id}": {"attributes": {}},
    "/v1/vector_stores/{vector_store_id}/file_batches": {"file_ids": ["file-x"]},
    "/v1/conversations/{conversation_id}": {"metadata": {}},
    "/v1/conversations/{conversation_id}/items": {"items": [{"role": "user", "content": "x", "type": "message"}]},
    "/v1/profiles/me/entries/{entry_id}": {"text": "I live elsewhere."},
}
QUESTION = {"messages": [{"role": "user", "content": "What is the number?"}]}


def test_no_object_is_reached_by_another_key(
    client: httpx.Client, operations: list[Operation], objects: Objects
) -> None:
    """Open WebUI CVE-2026-45398 and -45671: collections of others by a guessed name; LibreChat CVE-2026-31950."""
    with_ids = [one for one in operations if "{" in one.path]
    assert len(with_ids) > 20
    missing = {name: f"{value[:4]}0000" for name, value in objects.ids.items()}
    for one in with_ids:
        body = BODIES.get(one.path, {})
        replies = [
            client.request(one.method, one.at(ids), json=body if one.method != "GET" else None, headers=auth)
            for ids, auth in ((objects.ids, bearer(objects.bo)), (missing, bearer(objects.bo)))
        ]
        assert replies[0].status_code in (404, 501), f"{one}: {replies[0].status_code} {replies[0].text}"
        # nor is it told whether there is one
        said = [reply.json()["error"] for reply in replies]
        assert said[0]["code"] == said[1]["code"], one
        assert replies[0].status_code == replies[1].status_code, one
        assert "7134" not in replies[0].text


def bearer(header: str) -> dict[str, str]:
    return {"Authorization": header}


def test_nothing_of_others_is_listed_or_used(address: str, objects: Objects, operations: list[Operation]) -> None:
    """The same, through lists and through what names objects in its body."""
    with httpx.Client(base_url=address, timeout=20, headers=bearer(objects.bo)) as bo:
        for one in operations:
            if one.method == "GET" and "{" not in one.path and one.path.startswith("/v1/"):
                reply = bo.get(one.path, params={"limit": 100})
                found = [name for name, value in objects.ids.items() if value in reply.text]
                assert not found, f"{one.path} shows {found}"
        store, file, ids = objects.ids["vector_store_id"], objects.ids["file_id"], objects.ids
        uses: list[tuple[str, dict[str, Any]]] = [
            ("/v1/chat/completions", {"model": f"quote+{store}", **QUESTION}),
            ("/v1/chat/completions", {"model": "quote", "collection": store, **QUESTION}),
            ("/v1/chat/completions", {"model": "quote+library", "conversation": ids["conversation_id"], **QUESTION}),
            ("/v1/chat/completions", {"model": ids["name"], **QUESTION}),
            ("/v1/vector_stores", {"file_ids": [file]}),
            ("/v1/fine_tuning/jobs", {"model": "doceo-5m", "training_file": file}),
            ("/v1/fine_tuning/jobs", {"model": ids["name"], "training_file": file}),
        ]
        for path, body in uses:
            reply = bo.post(path, json=body)
            assert reply.status_code in (400, 404), f"{path} {body}: {reply.status_code} {reply.text}"
            assert "7134" not in reply.text
        own = bo.post("/v1/vector_stores", json={"name": "mine"}).json()["id"]
        assert bo.post(f"/v1/vector_stores/{own}/files", json={"file_id": file}).status_code == 404
        assert bo.post(f"/v1/vector_stores/{own}/file_batches", json={"file_ids": [file]}).status_code == 404


def test_everything_is_there_for_its_owner_afterwards(client: httpx.Client, objects: Objects) -> None:
    """What another key did above has changed nothing, so its 404s were no accident of a wrong path."""
    ana, ids = bearer(objects.ana), objects.ids
    for path in (
        f"/v1/files/{ids['file_id']}/content",
        f"/v1/vector_stores/{ids['vector_store_id']}/files/{ids['file_id']}/content",
        f"/v1/vector_stores/{ids['vector_store_id']}/file_batches/{ids['batch_id']}",
        f"/v1/conversations/{ids['conversation_id']}/items/{ids['item_id']}",
        f"/v1/fine_tuning/jobs/{ids['job_id']}/events",
        f"/v1/models/{ids['name']}",
    ):
        reply = client.get(path, headers=ana)
        assert reply.status_code == 200, f"{path}: {reply.text}"
    assert ids["entry_id"] in client.get("/v1/profiles/me", headers=ana).text + str(
        client.get("/v1/profiles/me/export", headers=ana).text
    )
    store = ids["vector_store_id"]
    found = client.post(f"/v1/vector_stores/{store}/search", json={"query": "secret number"}, headers=ana)
    assert "7134" in found.text
    for wanted in ({"model": f"quote+{store}"}, {"model": "quote", "collection": store}):
        answer = client.post("/v1/chat/completions", json={**wanted, **QUESTION}, headers=ana)
        assert "7134" in answer.text, answer.text
    kept = {"model": "quote+library", "conversation": ids["conversation_id"], **QUESTION}
    assert client.post("/v1/chat/completions", json=kept, headers=ana).status_code == 200


TRAVERSALS = (
    "../canary.txt", "..%2f..%2fcanary.txt", "%2e%2e%2f%2e%2e%2fcanary.txt", "....//canary.txt", "..\\canary.txt",
    "/etc/passwd", "file:///etc/passwd", "C:\\Windows\\win.ini", "\\\\host\\share", "x%00.txt", "~root", ".", "..",
)  # fmt: skip


@pytest.mark.parametrize("name", [TRAVERSALS[0], *(pytest.param(x, marks=pytest.mark.slow) for x in TRAVERSALS[1:])])
def test_no_id_is_a_path(name: str, client: httpx.Client, operations: list[Operation], objects: Objects) -> None:
    """AnythingLLM CVE-2023-4897, 2024-0550, -3025, -5211, 2026-24478, -5627; rag_api CVE-2025-68413, -68414; Gradio."""
    ids = dict.fromkeys(objects.ids, name)
    for one in operations:
        if "{" not in one.path:
            continue
        for path in (one.at(ids), one.path.replace("{", "").replace("}", "").rsplit("/", 1)[0] + "/" + name):
            status, text = raw(client, one.method, path, bearer(objects.ana), BODIES.get(one.path, {}))
            assert status in (400, 404, 405, 501), f"{one.method} {path}: {status} {text}"
            assert CANARY not in text
            assert "root:" not in text


def raw(client: httpx.Client, method: str, path: str, headers: dict[str, str], body: Any) -> tuple[int, str]:
    """Send a path as it stands: other clients resolve dots before they send."""
    connection = http.client.HTTPConnection("127.0.0.1", client.base_url.port or 0, timeout=20)
    try:
        connection.putrequest(method, re.sub(r"[\s\x00]", "", path), skip_accept_encoding=True)
        content = json.dumps(body).encode() if method != "GET" else b""
        for header, value in {
            **headers,
            "Content-Type": "application/json",
            "Content-Length": str(len(content)),
        }.items():
            connection.putheader(header, value)
        connection.endheaders(content)
        reply = connection.getresponse()
        return reply.status, reply.read().decode("utf-8", "replace")
    finally:
        connection.close()


@pytest.mark.parametrize(
    "name", ["../../x.txt", "C:\\x.txt", "/etc/passwd", "x.html", "a\r\nSet-Cookie: b.svg", "ü.txt"]
)
def test_the_name_of_a_file_is_no_path_and_its_content_no_page(name: str, address: str, objects: Objects) -> None:
    """Open WebUI CVE-2026-44566 and -45315: uploads that leave their folder, and scripts that run in its pages."""
    before = {path for path in objects.host.home.parent.rglob("*") if objects.host.files not in path.parents}
    client = client_of(address, objects.keys["ana"])
    file = client.files.create(file=(name, b"<script>alert(1)</script>"), purpose="user_data")
    after = {path for path in objects.host.home.parent.rglob("*") if objects.host.files not in path.parents}
    assert {path for path in after - before if "sqlite" not in path.name} == set()
    assert (objects.host.files / file.id).read_bytes() == b"<script>alert(1)</script>"
    headers = WEB.get(f"{address}/v1/files/{file.id}/content", headers=bearer(objects.ana)).headers
    assert headers["content-type"] == "application/octet-stream"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["content-disposition"].startswith("attachment")
    assert "set-cookie" not in headers


class Listener:
    """Counts who connects."""

    def __init__(self) -> None:
        self.server, self.count = socket.create_server(("127.0.0.1", 0)), 0
        self.port = self.server.getsockname()[1]
        threading.Thread(target=self._count, daemon=True).start()

    def _count(self) -> None:
        while True:
            try:
                self.server.accept()[0].close()
            except OSError:
                return
            self.count += 1


@pytest.mark.slow
def test_no_address_in_a_request_is_fetched(
    client: httpx.Client, objects: Objects, operations: list[Operation]
) -> None:
    """langchain CVE-2026-26013 and -41488, Open WebUI CVE-2026-45400, AnythingLLM CVE-2024-0440 and -3149, Gradio."""
    listener = Listener()
    for url in (f"http://127.0.0.1:{listener.port}/a.png", "file:///etc/passwd", f"//127.0.0.1:{listener.port}/"):
        image = [{"type": "image_url", "image_url": {"url": url}}, {"type": "text", "text": "What is it?"}]
        body = {
            "model": url, "input": url, "file": url, "url": url, "file_url": url, "file_ids": [url], "query": url,
            "training_file": url, "collection": url, "conversation": url, "base_url": url, "system_prompt": url,
            "messages": [{"role": "user", "content": image}], "name": "x", "text": url,
            "items": [{"type": "message", "role": "user", "content": [{"type": "input_image", "image_url": url}]}],
        }  # fmt: skip
        for one in operations:
            if one.method not in ("GET", "DELETE"):
                reply = client.request(one.method, one.at(objects.ids), json=body, headers=bearer(objects.bo))
                assert "root:" not in reply.text
                assert reply.status_code < 500 or reply.status_code == 501, f"{one}: {reply.text}"
        chat = client.post("/v1/chat/completions", json={**body, "model": "quote"}, headers=bearer(objects.bo))
        assert chat.status_code in (400, 404)
    status, _ = raw(client, "GET", f"http://127.0.0.1:{listener.port}/", bearer(objects.bo), {})
    assert status in (400, 404)
    assert listener.count == 0
    listener.server.close()


INJECTIONS = ("' OR '1'='1", "x'; DROP TABLE files; --", '" OR ""="', "%", "_", "*", "{{7*7}}", "${7*7}", "$where")


@pytest.mark.slow
def test_no_value_is_part_of_a_query(client: httpx.Client, objects: Objects, operations: list[Operation]) -> None:
    """langgraph CVE-2025-67644; llama_index CVE-2024-23751, 2024-12911, 2025-1793: SQL through filters."""
    for value in INJECTIONS:
        for one in operations:
            if not one.path.startswith("/v1/"):
                continue
            names = ("after", "before", "purpose", "filter", "order", "limit", "metadata[a]")
            ids = dict.fromkeys(objects.ids, value)
            body = {"query": value, "filters": {"type": "eq", "key": value, "value": value}, "metadata": {value: value}}
            params = dict.fromkeys(names, value) if one.method == "GET" else {}
            auth = bearer(objects.bo)
            reply = client.request(
                one.method, one.at(ids), params=params, json=body if one.method == "POST" else None, headers=auth
            )
            assert reply.status_code < 500 or reply.status_code == 501, f"{one} {value}: {reply.text}"
            assert not any(found in reply.text for found in objects.ids.values()), one
        found = client.post(
            f"/v1/vector_stores/{objects.ids['vector_store_id']}/search",
            json={"query": "secret", "filters": {"type": "eq", "key": "a", "value": value}},
            headers=bearer(objects.ana),
        )
        assert found.json()["data"] == []
    assert client.get(f"/v1/files/{objects.ids['file_id']}", headers=bearer(objects.ana)).status_code == 200


def test_what_is_stored_comes_back_as_the_words_that_it_was(client: httpx.Client, objects: Objects) -> None:
    """langchain-core CVE-2025-68664, langgraph CVE-2025-64439: stored words that are built into objects when read."""
    words = json.dumps({"lc": 1, "type": "constructor", "id": ["os", "system"], "kwargs": {"command": "false"}})
    made = client.post(
        "/v1/conversations",
        json={"items": [{"type": "message", "role": "user", "content": words}], "metadata": {"lc": words}},
        headers=bearer(objects.bo),
    ).json()
    items = client.get(f"/v1/conversations/{made['id']}/items", headers=bearer(objects.bo)).json()
    assert items["data"][0]["content"][0]["text"] == words
    assert made["metadata"] == {"lc": words}


def test_prompts_are_named_not_opened() -> None:
    """langchain-core CVE-2026-34070: a prompt's name that is a path."""
    for name in ("../pyproject.toml", "/etc/passwd", "..\\x"):
        with pytest.raises(InputError, match="There is no prompt"):
            Catalog().template(name)


SUSPECT = re.compile(
    r"pickle|dill|shelve|marshal|gradio|trust_remote_code|shell=|torch\.load|\b(eval|exec|\w*HttpClient)\(|\.load\b"
)


def trees() -> Iterator[tuple[str, ast.AST]]:
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            text = path.read_text(encoding="utf-8")
            if SUSPECT.search(text):
                for node in ast.walk(ast.parse(text)):
                    yield path.relative_to(ROOT).as_posix(), node


def test_nothing_foreign_is_run_or_unpickled() -> None:
    """Chroma CVE-2026-45829, vLLM CVE-2026-22807, RAGFlow's pickles, llama_index CVE-2025-3108, ragas: code in data."""
    imported = {"pickle", "cPickle", "dill", "cloudpickle", "shelve", "marshal", "gradio", "langchain_core.load"}
    called = {"eval", "exec", "HttpClient", "AsyncHttpClient", "load_prompt_from_config"}
    wrong = []
    for path, node in trees():
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)]
        wrong += [f"{path}: {name}" for name in names if name in imported]
        if isinstance(node, ast.Call):
            name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
            safe = {word.arg: word.value for word in node.keywords}
            bare = isinstance(node.func, ast.Name)
            wrong += [f"{path}: {name}()"] if name in called and (bare or name.endswith("Client")) else []
            trusted = safe.get("trust_remote_code")
            if trusted is not None and not (isinstance(trusted, ast.Constant) and trusted.value is False):
                wrong.append(f"{path}: trust_remote_code")
            if name == "load" and ast.unparse(node.func) == "torch.load" and "weights_only" not in safe:
                wrong.append(f"{path}: torch.load")
            if any(word.arg == "shell" and ast.unparse(word.value) == "True" for word in node.keywords):
                wrong.append(f"{path}: shell=True")
    assert not wrong


@pytest.mark.slow
def test_a_key_is_ended_everywhere_at_once(client: httpx.Client, objects: Objects, operations: list[Operation]) -> None:
    """AnythingLLM CVE-2026-32717: a second kind of key that went on after its user was suspended."""
    key, secret = objects.host.store.keys.create("ana", "", ("admin",))
    objects.host.store.keys.revoke(key.id)
    for one in operations:
        if one.path in OPEN:
            continue
        for headers in (bearer(f"Bearer {secret}"), {"X-API-Key": secret}, {"Cookie": f"key={secret}"}, {}):
            assert client.request(one.method, one.at(objects.ids), headers=headers).status_code == 401, one
        assert client.request(one.method, one.at(objects.ids), params={"api_key": secret}).status_code == 401, one


ASTRAY = (
    "/v1/models/", "//v1/models", "/healthz/../v1/models", "/HEALTHZ", "/healthz%2f..%2fv1/models",
    "/healthz;/v1/models", "/v1/models?x=/healthz", "/readyz/x", "/%68ealthz/x", "/openapi.json", "/docs", "/metrics",
)  # fmt: skip


@pytest.mark.parametrize("path", ASTRAY)
def test_no_other_way_to_write_a_path_is_open(path: str, client: httpx.Client) -> None:
    """LightRAG CVE-2026-39413: paths that a list of exceptions let through, and tokens that were signed by nobody."""
    none = "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZG1pbiJ9."
    for headers in ({}, bearer(none), bearer("Bearer guest"), bearer("Bearer null"), bearer("Bearer ")):
        assert raw(client, "GET", path, headers, {})[0] == 401


def test_keys_are_random() -> None:
    """RAGFlow CVE-2025-69286: keys that were worked out from what others could see."""
    made = {new_secret() for _ in range(1000)}
    assert len(made) == 1000
    assert {len(one) for one in made} == {46}
    assert len({one[3:8] for one in made}) > 990


def test_addresses_are_compared_as_numbers() -> None:
    """LibreChat CVE-2026-31943: an IPv4 address in the clothes of IPv6, which a pattern took for another one."""
    assert not any(map(is_loopback, ("::ffff:8.8.8.8", "::ffff:0808:0808", "0", "::", "127.0.0.1.evil", "0177.0.0.1")))


@pytest.mark.slow
def test_no_request_ends_the_process(client: httpx.Client, objects: Objects, operations: list[Operation]) -> None:
    """LibreChat CVE-2026-31949: a malformed DELETE that killed the server."""
    wrong = (b"", b"{", b"[]", b"null", b'"x"', b"\xff\xfe", b"[" * 2000, b'{"a":' * 500, b'{"metadata": {"a": 1e999}}')
    for one in operations:
        for content in wrong:
            for kind in ("application/json", "multipart/form-data", "text/plain"):
                headers = {**bearer(objects.bo), "Content-Type": kind}
                reply = client.request(one.method, one.at(objects.ids), content=content, headers=headers)
                assert reply.status_code < 500 or reply.status_code == 501, f"{one} {content[:9]!r}: {reply.text}"
    for line in (
        b"DELETE\r\n\r\n",
        b"DELETE /v1/files/\x00 HTTP/1.1\r\n\r\n",
        b"\x16\x03\x01\x02",
        b"GET / HTTP/9.9\r\n\r\n",
    ):
        with socket.create_connection(("127.0.0.1", client.base_url.port or 0)) as connection:
            connection.sendall(line)
            connection.shutdown(socket.SHUT_WR)
            connection.recv(1000)
    assert client.get("/healthz").status_code == 200
