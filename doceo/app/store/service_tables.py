"""The tables of the service: keys and what they use, files, jobs, vector stores, tuned models."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Double, ForeignKey, Index, Integer, String, Table, Text
from sqlalchemy import UniqueConstraint as Unique

from doceo.app.store.tables import metadata

keys = Table(
    "keys",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("owner", String(128), nullable=False, index=True),
    Column("name", Text, nullable=False),
    # SHA-256 of the secret, in hex; the secret itself is kept nowhere
    Column("hash", String(64), nullable=False, unique=True),
    Column("scopes", Text, nullable=False),
    Column("collections", Text, nullable=False),
    Column("tokens_per_day", BigInteger, nullable=True),
    Column("requests_per_minute", Integer, nullable=True),
    Column("created", Double, nullable=False),
    Column("expires", Double, nullable=True),
    Column("revoked", Double, nullable=True),
)

usage = Table(
    "usage",
    metadata,
    Column("key", String(64), primary_key=True),
    # days since 1970, UTC
    Column("day", Integer, primary_key=True),
    Column("requests", BigInteger, nullable=False),
    Column("prompt_tokens", BigInteger, nullable=False),
    Column("completion_tokens", BigInteger, nullable=False),
)

audit = Table(
    "audit",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("at", Double, nullable=False, index=True),
    Column("owner", String(128), nullable=False, index=True),
    Column("key", String(64), nullable=False),
    Column("action", String(64), nullable=False),
    Column("object", String(256), nullable=False),
    Column("outcome", Integer, nullable=False),
    Column("request", String(64), nullable=False),
    Column("address", String(64), nullable=False),
)

files = Table(
    "files",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("owner", String(128), nullable=False, index=True),
    Column("filename", Text, nullable=False),
    Column("purpose", String(32), nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("created", Double, nullable=False),
    Column("expires", Double, nullable=True),
)

jobs = Table(
    "jobs",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("owner", String(128), nullable=False, index=True),
    Column("kind", String(32), nullable=False),
    # the number of the form that `spec` is written in
    Column("schema", Integer, nullable=False),
    Column("spec", Text, nullable=False),
    Column("metadata", Text, nullable=False),
    Column("status", String(32), nullable=False, index=True),
    # what its owner wants of it: "", "cancel" or "pause"
    Column("wanted", String(16), nullable=False),
    # who works on it, and how often it has changed hands
    Column("worker", String(128), nullable=False),
    Column("lease", Integer, nullable=False),
    # how often it was put into the queue; older entries of the queue count for nothing
    Column("entry", Integer, nullable=False),
    Column("created", Double, nullable=False),
    Column("started", Double, nullable=True),
    Column("finished", Double, nullable=True),
    Column("estimated_finish", Double, nullable=True),
    Column("result", Text, nullable=False),
    Column("error", Text, nullable=True),
    Column("idempotency", String(256), nullable=True),
    Unique("owner", "idempotency"),
    Index("ix_jobs_worker", "worker"),
)

job_events = Table(
    "job_events",
    metadata,
    Column("job", String(64), ForeignKey(jobs.c.id, ondelete="CASCADE"), primary_key=True),
    Column("place", Integer, primary_key=True),
    Column("created", Double, nullable=False),
    Column("level", String(8), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("message", Text, nullable=False),
    Column("data", Text, nullable=True),
)

workers = Table(
    "workers",
    metadata,
    Column("id", String(128), primary_key=True),
    Column("started", Double, nullable=False),
    # seconds since 1970 by the database's clock
    Column("heartbeat", Double, nullable=False),
    Column("taken_by", String(128), nullable=False),
)

vector_stores = Table(
    "vector_stores",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("owner", String(128), nullable=False, index=True),
    Column("name", Text, nullable=False),
    # the name of its folder among the collections
    Column("collection", String(128), nullable=False, unique=True),
    Column("metadata", Text, nullable=False),
    Column("created", Double, nullable=False),
    Column("used", Double, nullable=False),
    Column("expires_days", Integer, nullable=True),
    # it and its index are to be deleted
    Column("deleted", Boolean, nullable=False),
)

vector_store_files = Table(
    "vector_store_files",
    metadata,
    Column("store", String(64), ForeignKey(vector_stores.c.id, ondelete="CASCADE"), primary_key=True),
    # no foreign key: the row of a deleted file stays until its text is out of the index
    Column("file", String(64), primary_key=True),
    # what the file is called in citations
    Column("source", Text, nullable=False),
    Column("attributes", Text, nullable=False),
    Column("status", String(16), nullable=False),
    Column("error", Text, nullable=True),
    Column("bytes", BigInteger, nullable=False),
    Column("created", Double, nullable=False),
    # it is to be taken out of the index
    Column("removed", Boolean, nullable=False),
)

vector_store_batches = Table(
    "vector_store_batches",
    metadata,
    Column("id", String(64), primary_key=True),
    # a row for each file of a batch; a file can be in several
    Column("file", String(64), primary_key=True),
    Column("store", String(64), ForeignKey(vector_stores.c.id, ondelete="CASCADE"), nullable=False, index=True),
    Column("created", Double, nullable=False),
)

models = Table(
    "models",
    metadata,
    Column("id", String(256), primary_key=True),
    Column("owner", String(128), nullable=False, index=True),
    Column("base", Text, nullable=False),
    # relative to the folder of jobs
    Column("folder", Text, nullable=False),
    Column("job", String(64), nullable=False),
    Column("created", Double, nullable=False),
)
