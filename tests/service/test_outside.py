"""What is seen of the service from outside: readiness, numbers, logs, spans, the audit log; and how it stops."""

from __future__ import annotations

import json
import logging
import socket
import sys
import threading
import time
from collections.abc import AsyncIterator, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
from fastapi.responses import StreamingResponse
from openapi_spec_validator import validate
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from prometheus_client.parser import text_string_to_metric_families

from doceo.app.host import Host
from doceo.app.readiness import readiness
from doceo.core.config import ServiceConfig
from doceo.core.errors import CollectionNotFound, StorageError, UsageError
from doceo.service.access import MayChat, MayTrain
from doceo.service.http import create_app
from doceo.service.listening import is_loopback, listen
from doceo.service.logs import JsonLines
from doceo.service.meter import Metered
from doceo.service.metrics import Metrics
from doceo.service.spans import open_spans
from tests.service.serving import host_in, plain, serving

WEB = plain()


@pytest.fixture(scope="module")
def host(indexed: Path, tmp_path_factory: pytest.TempPathFactory) -> Host:
    return host_in(tmp_path_factory.mktemp("home"), indexed)


@pytest.fixture(scope="module")
def address(host: Host) -> Iterator[str]:
    host.store.keys.create("nobody", "so that there is one", ())
    with serving(with_routes(host)) as found:
        yield found


def with_routes(host: Host, **options: Any) -> Any:
    """Return the application with a route that uses tokens, one that makes something, and one that breaks."""
    app = create_app(host, **options)

    @app.post("/try/ask/{name}", include_in_schema=False)
    async def ask(name: str, meter: Metered, caller: MayChat) -> dict[str, str]:
        meter.retrieved(0.01)
        meter.first_token("quote")
        meter.used("quote", 4, 6, question="secret question", answer="secret answer")
        return {}

    @app.post("/try/things", include_in_schema=False)
    async def make(caller: MayTrain) -> dict[str, str]:
        return {"id": "thing_1", "text": "private words"}

    @app.delete("/try/things/{thing_id}", include_in_schema=False)
    async def delete(thing_id: str, caller: MayTrain) -> dict[str, str]:
        raise RuntimeError("private words")

    return app


def headers(host: Host, *scopes: Any, owner: str = "ana") -> dict[str, str]:
    return {"Authorization": f"Bearer {host.store.keys.create(owner, 'test', scopes)[1]}"}


def metrics_text(count: Any) -> dict[tuple[str, ...], float]:
    metrics = Metrics()
    count(metrics)
    return samples(metrics.text({}).decode())


def samples(text: str) -> dict[tuple[str, ...], float]:
    """Return the samples of a page of Prometheus, by name and the values of their labels, by the labels' names."""
    return {
        (sample.name, *dict(sorted(sample.labels.items())).values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_ready_says_what_is_not(address: str, host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reply = WEB.get(f"{address}/readyz")
    assert reply.status_code == 200
    assert reply.json() == {"status": "ready", "database": "ok", "model": "ok", "index": "ok", "worker": "none"}
    bare = host_in(tmp_path, tmp_path / "no-run")
    with serving(create_app(bare)) as other:

        def gone() -> bool:
            raise StorageError("The database is away.", hint="Start it.")

        monkeypatch.setattr(bare.store.keys, "any", gone)
        reply = WEB.get(f"{other}/readyz")
    assert (reply.status_code, reply.json()["status"]) == (503, "not ready")
    assert (reply.json()["database"], reply.json()["model"], reply.json()["index"]) == ("storage", "ok", "index")
    assert "no-run" not in reply.text


def test_numbers_are_the_administrators(address: str, host: Host) -> None:
    assert WEB.get(f"{address}/metrics", headers=headers(host, "chat", "train")).status_code == 403
    admin, asking = headers(host, "admin"), headers(host, "chat")
    before = samples(WEB.get(f"{address}/metrics", headers=admin).text)
    WEB.post(f"{address}/try/ask/ana", headers=asking)
    WEB.get(f"{address}/made-up-{time.time()}", headers=asking)
    reply = WEB.get(f"{address}/metrics", headers=admin)
    after = samples(reply.text)

    def grown(*name: str) -> float:
        return after.get(name, 0) - before.get(name, 0)

    assert reply.headers["content-type"].startswith("text/plain; version=")
    assert grown("doceo_tokens_total", "prompt", "quote") == 4
    assert grown("doceo_tokens_total", "completion", "quote") == 6
    assert grown("doceo_first_token_seconds_count", "quote") == 1
    assert grown("doceo_retrieval_seconds_count") == 1
    assert grown("doceo_requests_total", "POST", "/try/ask/{name}", "200") == 1
    assert grown("doceo_requests_total", "GET", "other", "404") == 1
    assert after["doceo_requests_active",] == 1
    assert after["doceo_questions_active",] == 0
    # no series of a client's own making
    with_own = metrics_text(lambda own: own.tokens("ft:doceo-5m:ana:secret-project:0001", 1, 2))
    assert with_own["doceo_tokens_total", "prompt", "ft:doceo-5m"] == 1
    assert not any("made-up" in part for name in after for part in name)


def test_numbers_of_jobs_and_open_numbers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    host = host_in(tmp_path, service={"open_metrics": True})
    monkeypatch.setattr(host.store.jobs, "counts", lambda: {("fine_tuning", "queued"): 3})
    with serving(create_app(host, keyless=False)) as other:
        found = samples(WEB.get(f"{other}/metrics").text)
        assert found["doceo_jobs", "fine_tuning", "queued"] == 3
        assert WEB.get(f"{other}/v1/models").status_code == 401


def test_every_response_has_an_id(address: str, host: Host, caplog: pytest.LogCaptureFixture) -> None:
    asking = headers(host, "train")
    assert WEB.get(f"{address}/healthz", headers={"X-Request-Id": "mine-1"}).headers["x-request-id"] == "mine-1"
    for wrong in ("", "a b", "x" * 65, 'a"b', "é".encode()):
        own = WEB.get(f"{address}/v1/models", headers={"X-Request-Id": wrong}).headers["x-request-id"]  # type: ignore[dict-item]
        assert own.startswith("req_")
    broken = WEB.delete(f"{address}/try/things/t1", headers={**asking, "X-Request-Id": "mine-2"})
    assert (broken.status_code, broken.headers["x-request-id"]) == (500, "mine-2")
    assert broken.json()["error"]["type"] == "server_error"
    assert "mine-2" in broken.text
    assert "private" not in broken.text


def test_a_line_of_json_for_every_request(address: str, host: Host, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "doceo.requests")
    WEB.post(f"{address}/try/things", headers={**headers(host, "train"), "X-Request-Id": "mine-3"})
    deadline = time.monotonic() + 5
    lines: list[Any] = []
    while not lines and time.monotonic() < deadline:
        formed = [json.loads(JsonLines().format(record)) for record in caplog.records]
        lines = [line for line in formed if line.get("request_id") == "mine-3"]
    (line,) = lines
    assert (line["route"], line["status"]) == ("/try/things", 200)
    assert line["key"].startswith("key_")
    assert "private" not in json.dumps(line)


def test_the_audit_log(address: str, host: Host) -> None:
    asking = headers(host, "train", owner="eva")
    WEB.post(f"{address}/try/things", headers={**asking, "X-Request-Id": "mine-4"})
    WEB.delete(f"{address}/try/things/t1", headers=asking)
    WEB.get(f"{address}/metrics", headers=asking)
    WEB.post(f"{address}/try/ask/x", headers=asking)
    WEB.get(f"{address}/v1/secret-path")
    entries = host.store.audit.latest(5)
    assert [(e.owner, e.action, e.object, e.outcome) for e in entries[:5]][::-1] == [
        ("eva", "POST /try/things", "thing_1", 200),
        ("eva", "DELETE /try/things/{thing_id}", "t1", 500),
        ("eva", "GET /metrics", "", 403),
        ("eva", "POST /try/ask/{name}", "x", 403),
        ("", "GET", "/v1/secret-path", 401),
    ]
    assert entries[-1].request == "mine-4"
    assert {e.address for e in entries} == {"127.0.0.1"}
    assert entries == host.store.audit.latest(5, since=entries[-1].at)
    assert [e.owner for e in host.store.audit.latest(9, owner="eva")] == ["eva"] * 4


def test_refusals_cannot_fill_the_disk(tmp_path: Path) -> None:
    host = host_in(tmp_path)
    host.store.keys.create("nobody", "", ())
    with serving(create_app(host)) as address, httpx.Client() as client:
        assert {client.get(f"{address}/v1/{n}").status_code for n in range(60)} == {401}
    assert len(host.store.audit.latest(1000)) == 30


def test_old_entries_of_the_audit_log_are_deleted(tmp_path: Path) -> None:
    from doceo.app.store import open_store
    from doceo.app.store.audit import Entry

    host = host_in(tmp_path, service={"audit_days": 10})
    now = time.time()
    entries = [Entry(at=now - days * 86400, action="GET", outcome=401) for days in (9, 11)]
    open_store(host.settings.database_url).audit.add(entries)
    with serving(create_app(host)):
        deadline = time.monotonic() + 5
        while len(host.store.audit.latest(9)) > 1 and time.monotonic() < deadline:
            time.sleep(0.01)
        assert [entry.at for entry in host.store.audit.latest(9)] == [entries[0].at]


class Collector:
    """A receiver of spans by OTLP over HTTP."""

    def __init__(self) -> None:
        self.spans: list[Any] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                got = ExportTraceServiceRequest.FromString(body)
                outer.spans += [s for r in got.resource_spans for scope in r.scope_spans for s in scope.spans]
                self.send_response(200)
                self.end_headers()

            def log_message(self, *words: Any) -> None: ...

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.address = f"http://127.0.0.1:{self.server.server_port}"


@pytest.mark.parametrize("content", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_spans_are_sent_where_an_address_is_named(host: Host, content: bool) -> None:
    collector = Collector()
    config = ServiceConfig(otlp_endpoint=collector.address, trace_content=content)
    with open_spans(config) as spans, serving(with_routes(host, spans=spans)) as address:
        parent = "00-0123456789abcdef0123456789abcdef-0123456789abcdef-01"
        WEB.post(f"{address}/try/ask/ana", headers={**headers(host, "chat"), "traceparent": parent})
        WEB.delete(f"{address}/try/things/t1", headers=headers(host, "train"))
    collector.server.shutdown()
    by_name = {span.name: span for span in collector.spans}
    request, chat = by_name["POST /try/ask/{name}"], by_name["chat quote"]
    assert request.trace_id.hex() == chat.trace_id.hex() == "0123456789abcdef0123456789abcdef"
    assert chat.parent_span_id == request.span_id
    broken = by_name["DELETE /try/things/{thing_id}"]
    codes = [a.value.int_value for s in (request, broken) for a in s.attributes if a.key == "http.response.status_code"]
    assert codes == [200, 500]
    assert [(s.status.code, s.status.message) for s in (request, broken)] == [(0, ""), (2, "")]
    assert "private words" not in str(collector.spans)
    held = {a.key: a.value.string_value or a.value.int_value for a in chat.attributes}
    assert held["gen_ai.operation.name"] == "chat"
    assert (held["gen_ai.usage.input_tokens"], held["gen_ai.usage.output_tokens"]) == (4, 6)
    everything = str(collector.spans)
    assert ("secret question" in everything and "secret answer" in everything) is content


def test_nothing_is_traced_without_an_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OTEL_EXPORTER_OTLP_ENDPOINT", raising=False)
    with open_spans(ServiceConfig()) as spans:
        assert spans.begun() is None


def streaming(app: Any, pause: float, pieces: int) -> Any:
    @app.get("/try/stream", include_in_schema=False)
    async def stream(caller: MayChat) -> StreamingResponse:
        async def events() -> AsyncIterator[str]:
            for n in range(pieces):
                yield f"data: {n}\n\n"
                await anyio.sleep(pause)

        return StreamingResponse(events(), media_type="text/event-stream")

    return app


@pytest.mark.parametrize(("drain", "whole"), [(1, False), pytest.param(5, True, marks=pytest.mark.slow)])
def test_streams_are_drained_up_to_a_limit(tmp_path: Path, drain: int, whole: bool) -> None:
    app = streaming(create_app(host_in(tmp_path)), 0.1 if whole else 0.5, 5 if whole else 60)
    lines: list[str] = []
    with serving(app, drain_seconds=drain) as address:

        def read() -> None:
            with WEB.stream("GET", f"{address}/try/stream", timeout=20) as reply:
                lines.extend(line for line in reply.iter_lines() if line)

        reader = threading.Thread(target=read)
        reader.start()
        time.sleep(0.2)
    reader.join(10)
    assert lines[0] == "data: 0"
    if whole:
        assert lines == [f"data: {n}" for n in range(5)]
    else:
        assert json.loads(lines[-1].removeprefix("data: "))["error"]["code"] == "service_stopped"


def test_the_description_is_a_valid_one(address: str, host: Host) -> None:
    description = WEB.get(f"{address}/openapi.json", headers=headers(host, "chat")).json()
    validate(description)
    assert "bearer" in json.dumps(description["components"]["securitySchemes"]).lower()


def test_other_addresses_need_keys_and_everything_wrong_is_named_at_once(tmp_path: Path) -> None:
    from doceo.cli.console import Console

    host, console = host_in(tmp_path), Console(as_json=True)
    taken = socket.create_server(("0.0.0.0", 0))
    port = taken.getsockname()[1]
    with pytest.raises(UsageError) as caught:
        listen(host, "0.0.0.0", port, console)
    assert "there is no key" in caught.value.message
    assert f"Cannot listen on 0.0.0.0:{port}" in caught.value.message
    assert "doceo keys create" in caught.value.hint
    key, _ = host.store.keys.create("ana", "", ("chat",))
    host.store.keys.revoke(key.id)
    host.store.keys.create("ana", "", ("chat",), expires=1.0)
    with pytest.raises(UsageError, match="there is no key"):
        listen(host, "0.0.0.0", 0, console)
    host.store.keys.create("ana", "", ("chat",))
    with pytest.raises(UsageError, match=r"^Cannot listen"):
        listen(host, "0.0.0.0", port, console)
    taken.close()


def test_every_model_and_address_is_looked_at_before_the_service_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from doceo.cli.console import Console

    service = {"models": ("foo:bar", "hf:/not/there", "openai:x"), "bases": ("./gone",), "vllm": "gpu:8000"}
    host = host_in(tmp_path, service={**service, "otlp_endpoint": "http://127.0.0.1:9"})
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    with pytest.raises(UsageError) as caught:
        listen(host, "127.0.0.1", 0, Console(as_json=True))
    for words in ("foo:bar", "/not/there", "needs a key for x", "./gone", "'gpu:8000'", "opentelemetry-sdk"):
        assert caught.value.message.count(words) == 1, words


def test_a_collection_that_is_not_there_is_not_served(tmp_path: Path) -> None:
    from doceo.cli.console import Console

    host = host_in(tmp_path)
    host.assistants.collection = "nope"
    with pytest.raises(CollectionNotFound, match="There is no collection nope") as caught:
        listen(host, "127.0.0.1", 0, Console(as_json=True))
    assert "doceo index SRC --collection nope" in caught.value.hint
    assert readiness(host)["index"] == "collection_not_found"


def test_which_addresses_only_this_machine_reaches() -> None:
    near, far = ("127.0.0.1", "::1", "localhost", "127.1.2.3"), ("0.0.0.0", "::", "10.0.0.1", "box", "")
    assert [is_loopback(name) for name in (*near, *far)] == [True] * 4 + [False] * 5
