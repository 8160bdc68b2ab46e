"""A service with everything of one owner in it, and the key of another."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from data.store import Run
from doceo.app.host import Host
from rag.copying import copy_index
from tests.service.keeping import keeping_host, key_of

CANARY = "the-canary-outside-the-home"
TEXT = b"The secret of Ana is the number 7134. The secret was written down in 1902.\n"


@dataclass(frozen=True)
class Objects:
    """Ids by the names of the parameters in paths, and keys."""

    host: Host
    ids: dict[str, str]
    ana: str
    bo: str
    keys: dict[str, str]


def everything(folder: Path, indexed: Path, **settings: Any) -> Objects:
    """Make one of everything that belongs to an owner, and a collection of all, `library`."""
    (folder / "canary.txt").write_text(CANARY)
    host = keeping_host(folder / "home", service={"requests_per_minute": 1_000_000}, **settings)
    copy_index(Run(indexed).index, host.home / ".collections" / "library")
    ids = objects_of(host, "ana", TEXT)
    keys = {name: key_of(host, name, "chat", "ingest", "train", collections=("*",)) for name in ("ana", "bo")}
    return Objects(host, ids, f"Bearer {keys['ana']}", f"Bearer {keys['bo']}", keys)


def objects_of(host: Host, owner: str, text: bytes) -> dict[str, str]:
    """Make one of everything for an owner; return the ids by the names of the parameters in paths."""
    store = host.store
    with host.uploads.receiving() as incoming:
        incoming.write(text)
        file = host.uploads.keep(incoming, owner, "secret.txt", "assistants")
    vector_store = store.vector_stores.create(owner, "secrets")
    batch, _ = store.attachments.add(vector_store.id, [(file, {})], batch=True)
    host.indexing.soon(vector_store.id)
    conversation = store.conversations.start(owner)
    item = _item(store, owner, conversation.id, text)
    entry = store.profiles.add(owner, "fact", "I live in Bryne.")
    job = store.jobs.create(owner, "fine_tuning", SPEC, lambda connection, job: None)
    model = store.models.add(owner, f"ft:doceo-5m:{owner}::{job.id[-8:]}", base="doceo-5m", folder="x", job=job.id)
    return {
        "file_id": file.id,
        "vector_store_id": vector_store.id,
        "batch_id": batch,
        "conversation_id": conversation.id,
        "item_id": item,
        "entry_id": entry.id,
        "job_id": job.id,
        "name": model.id,
        "checkpoint": model.id,
        "permission": "cp_1",
    }


def _item(store: Any, owner: str, conversation: str, text: bytes) -> str:
    from doceo.app.store.said import Said
    from doceo.core.records import Message

    (turn,) = store.conversations.add(owner, conversation, [Said(Message(role="user", content=text.decode()))])
    return str(turn.id)


SPEC = {"model": "doceo-5m", "base": "doceo-5m", "training_file": "file-x"}
