"""Generation and evaluation jobs over HTTP: from documents to scores, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openai
import pytest

from doceo.app.host import Host
from doceo.service.http import create_app
from tests.service.serving import client_of, host_in, serving
from tests.service.working import until, working


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return host_in(tmp_path / "runs")


@pytest.fixture
def client(host: Host) -> Iterator[openai.OpenAI]:
    with serving(create_app(host)) as address:
        yield client_of(address)


def post(client: openai.OpenAI, path: str, **body: Any) -> dict[str, Any]:
    made: Any = client.post(path, cast_to=object, body=body)
    return dict(made)


def get(client: openai.OpenAI, path: str) -> dict[str, Any]:
    found: Any = client.get(path, cast_to=object)
    return dict(found)


def ended(client: openai.OpenAI, path: str) -> dict[str, Any]:
    done: dict[str, Any] = until(
        lambda: (job := get(client, path))["status"] in ("succeeded", "failed", "cancelled") and job, 240
    )
    assert done["status"] == "succeeded", done["error"]
    return done


@pytest.mark.slow
def test_documents_to_a_dataset_to_scores(client: openai.OpenAI, host: Host, library: Path) -> None:
    files = [client.files.create(file=path, purpose="user_data").id for path in sorted(library.iterdir())]
    with working(host.home.parent, host.settings.database_url):
        job = post(client, "/generation/jobs", files=files, pairs=12, formats=["csv", "anki"], seed=3)
        done = ended(client, f"/generation/jobs/{job['id']}")
        assert (done["object"], done["made_pairs"], done["short"]) == ("generation.job", 12, None)
        assert done["ledger"]["accepted"] == 12
        rows = client.files.content(done["dataset"]["train"]).text.splitlines()
        assert all(json.loads(row)["messages"][-1]["role"] == "assistant" for row in rows)
        assert client.files.retrieve(done["dataset"]["train"]).purpose == "fine-tune"
        assert len(client.files.content(done["exports"]["csv"]).text.splitlines()) > 5
        documents = host.jobs / job["id"] / "run" / "1-documents" / "documents.jsonl"
        sources = {json.loads(line)["source"] for line in documents.read_text().splitlines()}
        assert sources == {path.name for path in library.iterdir()}
        asked = {"generation_job": job["id"], "models": ["doceo-5m", "quote+rag"], "resamples": 100}
        scored = ended(client, f"/evaluation/jobs/{post(client, '/evaluation/jobs', **asked)['id']}")
    found = {score["system"] for score in scored["scores"]}
    assert found == {"quote+rag", "doceo-5m"}
    assert {score["versus"] for score in scored["scores"]} == {"", "doceo-5m"}
    report = client.files.content(scored["result_files"][1]).text
    assert "<html" in report
    assert str(host.home) not in json.dumps(scored)
    # what it was asked over is a copy: the dataset's own run stays as it was
    assert not (host.jobs / job["id"] / "run" / "7-scores").exists()


def test_wrong_requests_name_the_field(client: openai.OpenAI, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("The ferry was opened in 1902.")
    file = client.files.create(file=tmp_path / "a.txt", purpose="user_data").id
    job = post(client, "/generation/jobs", files=[file])["id"]
    asked: list[tuple[str, dict[str, Any], str]] = [
        ("generation", {}, "files"),
        ("generation", {"files": ["file-none"]}, "files"),
        ("generation", {"files": [file], "vector_store": "vs_1"}, "files"),
        ("generation", {"vector_store": "vs_1"}, "vector_store"),
        ("generation", {"vector_store": client.vector_stores.create().id}, "vector_store"),
        ("generation", {"files": [file], "teacher": "openai:costly"}, "teacher"),
        ("generation", {"files": [file], "formats": ["beir"]}, "formats"),
        ("generation", {"files": [file], "pairs": 0}, "pairs"),
        ("generation", {"files": [file], "kinds": {"riddle": 5}}, "kinds.riddle"),
        ("evaluation", {"generation_job": "genjob-none", "models": ["doceo-5m"]}, "generation_job"),
        ("evaluation", {"generation_job": job, "models": ["doceo-5m"]}, "generation_job"),
    ]
    for kind, body, param in asked:
        with pytest.raises(openai.BadRequestError) as raised:
            post(client, f"/{kind}/jobs", **body)
        assert raised.value.param == param, raised.value
    assert "wait until it has succeeded" in raised.value.message
    assert [one["id"] for one in get(client, "/generation/jobs")["data"]] == [job]
    assert get(client, "/evaluation/jobs")["data"] == []
    with pytest.raises(openai.NotFoundError):
        get(client, f"/evaluation/jobs/{job}")


def test_an_owner_has_only_so_many_jobs_at_once(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("The ferry was opened in 1902.")
    with serving(create_app(host_in(tmp_path / "runs", service={"max_jobs": 2}))) as address:
        client = client_of(address)
        file = client.files.create(file=tmp_path / "a.txt", purpose="user_data").id
        jobs = [post(client, "/generation/jobs", files=[file])["id"] for _ in range(2)]
        with pytest.raises(openai.RateLimitError) as raised:
            post(client, "/generation/jobs", files=[file])
        assert raised.value.code == "too_many_jobs"
        assert int(raised.value.response.headers["Retry-After"]) > 0
        post(client, f"/generation/jobs/{jobs[0]}/cancel")
        post(client, "/generation/jobs", files=[file])
