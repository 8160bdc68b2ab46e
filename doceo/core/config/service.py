"""What the service lets in, and what is seen of it from outside."""

from __future__ import annotations

from pydantic import Field

from doceo.core.config.base import Config


class ServiceConfig(Config):
    """What the service lets in, and what is seen of it from outside."""

    models: tuple[str, ...] = ()
    """Further models that are served beside `model`, such as openai:NAME or hf:PATH."""
    max_chats: int = Field(default=256, ge=1, le=1024)
    """Answers that are given at once; more are turned away at once with 429 rather than kept waiting. A question that
    wants `n` answers counts as so many."""
    vllm: str = ""
    """Address of a vLLM server, such as http://gpu:8000/v1, that tuned models are loaded into and answered by; left
    out, they are answered in this process. It has to see the folders of jobs under the same paths."""
    max_adapters: int = Field(default=16, ge=1)
    """Tuned models that are in memory at once over each base; those asked longest ago are read again when they are
    asked again."""
    requests_per_minute: int = Field(default=600, ge=1)
    """Most requests of a key in a minute, where the key has no number of its own. Without keys there is no limit."""
    tokens_per_day: int | None = Field(default=None, ge=1)
    """Most tokens of prompts and answers of a key in a day, UTC, where the key has no number of its own; left out,
    any number."""
    max_body_mb: int = Field(default=16, ge=1)
    """Largest request in MB that is no upload."""
    max_upload_mb: int = Field(default=512, ge=1)
    """Largest uploaded file in MB."""
    max_owner_mb: int = Field(default=20_480, ge=1)
    """Most MB of files of an owner; what jobs make is never refused, and counts."""
    max_unpacked_mb: int = Field(default=64, ge=1)
    """Largest file in MB that is read for an index; for zip formats also the unpacked size."""
    max_rows: int = Field(default=1_000_000, ge=1)
    """Most rows of a file that is trained on."""
    workers: int = Field(default=1, ge=0, le=64)
    """Processes that `serve` starts for jobs, each of which does one at a time; 0 where workers run elsewhere."""
    max_jobs: int = Field(default=100, ge=1)
    """Most jobs of an owner that have not ended, those that wait included."""
    max_event_streams: int = Field(default=16, ge=1)
    """Streams of job events that an owner may have open at once."""
    bases: tuple[str, ...] = ()
    """Further base models that clients may tune and ask, beside the default one: folders, or names on the hub."""
    header_seconds: float = Field(default=10.0, gt=0)
    """Time for the first line and the headers of a request."""
    body_seconds: float = Field(default=30.0, gt=0)
    """Time for a body of 1 MB, and the longest that a client may send nothing; a larger body has as much for each
    further MB."""
    unread_seconds: float = Field(default=60.0, gt=0)
    """Longest that a client may leave unread what is sent to it; its connection is closed then."""
    drain_seconds: float = Field(default=30.0, ge=0)
    """How long answers under way may go on after the service is told to stop."""
    hosts: tuple[str, ...] = ()
    """Further names, beside those of this machine, under which clients may reach a service without keys."""
    proxies: tuple[str, ...] = ()
    """Addresses of proxies in front of the service whose word on a client's address is taken; * for any."""
    audit_days: int = Field(default=90, ge=1)
    """Days that entries of the audit log are kept."""
    open_metrics: bool = False
    """Whether `/metrics` can be read without a key."""
    json_logs: bool = False
    """Write a line of JSON to stderr for every request."""
    otlp_endpoint: str = ""
    """Address that OpenTelemetry spans are sent to, such as http://localhost:4318; left out,
    OTEL_EXPORTER_OTLP_ENDPOINT, else nothing is sent."""
    trace_content: bool = False
    """Put questions and answers into the spans too."""
