"""What the stock client really sends and gets, kept in files: a later client that drops a resource changes nothing.

`python -m tests.service.exchanges` records anew, with the client that is installed. Ids are numbered by their first
appearance, times and scores are 0, so that the same talk gives the same file.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import openai

from doceo.service.http import create_app
from tests.service.keeping import keeping_host
from tests.service.serving import serving

FOLDER = Path(__file__).parent / "recorded"
_ID = re.compile(
    r"\b(?:file-|vs_|vsfb_|conv_|ftjob-|ftevent-)[0-9a-f]{28}\b|\bchatcmpl-[0-9a-f]{32}\b|(?<![.\w])[0-9a-f]{16}\b"
)
_BOUNDARY = re.compile(r"boundary=(\S+)")
_VARYING = {
    "chance", "embedding", "score", "created_at", "expires_at", "last_active_at", "created", "expires", "started_at",
    "finished_at", "estimated_finish",
}  # fmt: skip
_FERRY = b"# The Bryne ferry\n\nThe Bryne ferry was opened in 1902. It carries 12 cars and 80 people.\n"
_MASTER = b"The harbour master of Bryne is called Olga Holm. She lives in the white lighthouse.\n"


class Names:
    """Ids as numbers: `<1>` is the first that appeared."""

    def __init__(self) -> None:
        self.known: dict[str, str] = {}

    def hide(self, text: str) -> str:
        """Return a text with numbers in place of ids."""
        return _ID.sub(lambda found: self.known.setdefault(found.group(), f"<{len(self.known) + 1}>"), text)

    def show(self, text: str) -> str:
        """Return a text with the ids of this talk in place of numbers."""
        ids = {number: key for key, number in self.known.items()}
        return re.sub(r"<\d+>", lambda found: ids.get(found.group(), found.group()), text)


class Recorder(httpx.BaseTransport):
    """Passes requests on and notes what goes to and fro."""

    def __init__(self, address: str) -> None:
        self._under, self._address, self._names = httpx.HTTPTransport(), address, Names()
        self.exchanges: list[dict[str, Any]] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.read()
        response = self._under.handle_request(request)
        response.read()
        body, kind = request.content.decode(), request.headers.get("content-type", "")
        if found := _BOUNDARY.search(kind):
            body, kind = body.replace(found[1], "BOUNDARY"), kind.replace(found[1], "BOUNDARY")
        path = str(request.url).removeprefix(self._address)
        self.exchanges.append(
            {
                "request": self._names.hide(f"{request.method} {path}"),
                "content_type": kind,
                "body": self._names.hide(body),
                "status": response.status_code,
                "response": answer(response, self._names),
            }
        )
        return response


def answer(response: httpx.Response, names: Names) -> Any:
    """Return what a response says: JSON as values, a stream as its events, else its text."""
    text = names.hide(response.text)
    if response.headers.get("content-type", "").startswith("application/json"):
        return timeless(json.loads(text))
    if response.headers.get("content-type", "").startswith("text/event-stream"):
        events = [line.removeprefix("data: ") for line in text.split("\n") if line]
        return [one if one == "[DONE]" else timeless(json.loads(one)) for one in events]
    return text


def timeless(value: Any) -> Any:
    """Return JSON values with 0 for every time and score that is set."""
    if isinstance(value, list):
        return [timeless(one) for one in value]
    if isinstance(value, dict):
        return {key: 0 if key in _VARYING and one is not None else timeless(one) for key, one in value.items()}
    return value


def files_and_vector_stores(client: openai.OpenAI) -> None:
    """Use every method of files and vector stores."""
    ferry = client.files.create(file=("ferry.md", _FERRY), purpose="assistants")
    after: Any = {"anchor": "created_at", "seconds": 3600}
    master = client.files.create(file=("master.md", _MASTER), purpose="user_data", expires_after=after)
    client.files.retrieve(ferry.id)
    list(client.files.list(limit=1, purpose="user_data"))
    client.files.content(ferry.id).read()
    store = client.vector_stores.create(name="harbour", file_ids=[ferry.id], metadata={"town": "Bryne"})
    client.vector_stores.files.create(store.id, file_id=master.id, attributes={"year": 1902, "open": True})
    client.vector_stores.retrieve(store.id)
    client.vector_stores.update(store.id, name="port", expires_after={"anchor": "last_active_at", "days": 3})
    list(client.vector_stores.list(limit=5))
    list(client.vector_stores.search(store.id, query="Who is the harbour master?", max_num_results=2))
    chosen: Any = {"type": "and", "filters": [{"type": "gte", "key": "year", "value": 1900}]}
    list(client.vector_stores.search(store.id, query=["ferry", "boat"], filters=chosen, rewrite_query=True))
    list(client.vector_stores.files.list(store.id, filter="completed", order="asc"))
    client.vector_stores.files.retrieve(master.id, vector_store_id=store.id)
    client.vector_stores.files.update(master.id, vector_store_id=store.id, attributes={"year": 1903})
    list(client.vector_stores.files.content(master.id, vector_store_id=store.id))
    batch = client.vector_stores.file_batches.create(store.id, file_ids=[ferry.id, master.id])
    client.vector_stores.file_batches.retrieve(batch.id, vector_store_id=store.id)
    list(client.vector_stores.file_batches.list_files(batch.id, vector_store_id=store.id))
    client.vector_stores.file_batches.cancel(batch.id, vector_store_id=store.id)
    client.vector_stores.files.delete(ferry.id, vector_store_id=store.id)
    client.vector_stores.delete(store.id)
    client.files.delete(ferry.id)
    try:
        client.files.retrieve(ferry.id)
    except openai.NotFoundError:
        return


def conversations(client: openai.OpenAI) -> None:
    """Use every method of conversations."""
    begun = client.conversations.create(items=[{"role": "user", "content": "When?"}], metadata={"topic": "ferry"})
    said: Any = [{"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "In 1902."}]}]
    added = client.conversations.items.create(begun.id, items=said)
    list(client.conversations.items.list(begun.id, limit=1))
    client.conversations.items.retrieve(added.first_id, conversation_id=begun.id)
    client.conversations.items.delete(added.first_id, conversation_id=begun.id)
    client.conversations.retrieve(begun.id)
    client.conversations.update(begun.id, metadata={"topic": "sea"})
    client.conversations.delete(begun.id)


def chat(client: openai.OpenAI) -> None:
    """Ask over a vector store, whole and as a stream; list models; embed; ask for what there is not."""
    ferry = client.files.create(file=("ferry.md", _FERRY), purpose="assistants")
    store = client.vector_stores.create(name="harbour", file_ids=[ferry.id])
    asked: Any = {"model": "quote", "messages": [{"role": "user", "content": "When was the Bryne ferry opened?"}]}
    over: Any = {"collection": "harbour"}
    client.chat.completions.create(**asked, extra_body=over)
    list(client.chat.completions.create(**asked, extra_body=over, stream=True, stream_options={"include_usage": True}))
    unknown: Any = [{"role": "user", "content": "Who won the chess world cup in Baku?"}]
    client.chat.completions.create(model=f"quote+{store.id}", messages=unknown)
    client.models.list()
    client.models.retrieve("doceo-5m")
    client.embeddings.create(model="all-MiniLM-L6-v2", input="The ferry.", encoding_format="float")
    for wrong in (
        lambda: client.chat.completions.create(**{**asked, "model": "gpt-9"}),
        lambda: client.chat.completions.create(**asked, tools=[{"type": "function", "function": {"name": "f"}}]),
        lambda: client.responses.create(model="quote", input="When?"),
        lambda: client.models.delete("quote"),
    ):
        with suppress(openai.APIStatusError):
            wrong()


def fine_tuning(client: openai.OpenAI) -> None:
    """Use every method of fine-tuning jobs on jobs that wait for a worker."""
    row = b'{"messages": [{"role": "user", "content": "When?"}, {"role": "assistant", "content": "In 1902."}]}\n'
    file = client.files.create(file=("rows.jsonl", row * 20), purpose="fine-tune").id
    method: Any = {"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": 2, "batch_size": "auto"}}}
    asked: Any = {"model": "doceo-5m", "training_file": file, "suffix": "ferry", "seed": 7}
    jobs = client.fine_tuning.jobs
    job = jobs.create(**asked, method=method, metadata={"team": "a"}, extra_body={"x_lora": {"rank": 8}}).id
    jobs.retrieve(job)
    jobs.pause(job)
    jobs.resume(job)
    jobs.cancel(job)
    list(jobs.list_events(job, limit=2))
    list(jobs.checkpoints.list(job))
    preferring: Any = {"type": "dpo", "dpo": {"hyperparameters": {"beta": 0.2}}}
    other = jobs.create(model="doceo-5m", training_file=file, validation_file=file, method=preferring).id
    jobs.cancel(other)
    list(jobs.list(limit=1, metadata={"team": "a"}))
    wrong: Any = {"type": "reinforcement"}
    for refused in (
        lambda: jobs.create(model="gpt-9", training_file=file),
        lambda: jobs.create(model="doceo-5m", training_file="file-none"),
        lambda: jobs.create(model="doceo-5m", training_file=file, method=wrong),
        lambda: jobs.resume(job),
        lambda: jobs.retrieve("ftjob-none"),
    ):
        with suppress(openai.APIStatusError):
            refused()


TALKS: dict[str, Callable[[openai.OpenAI], None]] = {
    "files_and_vector_stores": files_and_vector_stores,
    "conversations": conversations,
    "chat": chat,
    "fine_tuning": fine_tuning,
}


def record(talk: Callable[[openai.OpenAI], None], folder: Path) -> list[dict[str, Any]]:
    """Return what is exchanged in a talk with a new service."""
    with serving(create_app(keeping_host(folder))) as address:
        recorder = Recorder(address)
        with httpx.Client(transport=recorder) as transport:
            talk(openai.OpenAI(base_url=f"{address}/v1", api_key="none", max_retries=0, http_client=transport))
    return recorder.exchanges


def main() -> None:
    """Record all talks anew."""
    FOLDER.mkdir(exist_ok=True)
    for name, talk in TALKS.items():
        with tempfile.TemporaryDirectory() as folder:
            exchanges = {"client": openai.__version__, "exchanges": record(talk, Path(folder))}
        (FOLDER / f"{name}.json").write_text(json.dumps(exchanges, indent=1) + "\n")


if __name__ == "__main__":
    main()
