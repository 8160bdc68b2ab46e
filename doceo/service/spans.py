"""OpenTelemetry spans, by its conventions for HTTP and generative AI. Without an address none is made or sent."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from typing import TYPE_CHECKING, TypeAlias

from starlette.types import Scope

from doceo.core.config import ServiceConfig
from doceo.core.errors import MissingExtra

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.trace import Tracer

Begun: TypeAlias = "tuple[int, Context] | None"
"""When and in which request something began; None where no spans are made."""
_VARIABLES = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")


class Spans:
    """Makes spans, where somebody wants them.

    Args:
        tracer: OpenTelemetry's; None makes none.
        content: Whether questions and answers are put into them.
    """

    def __init__(self, tracer: Tracer | None = None, *, content: bool = False) -> None:
        self._tracer, self._content = tracer, content

    @contextmanager
    def request(self, scope: Scope, status: Callable[[], int]) -> Iterator[None]:
        """Make a span of a request, a child of the client's where it names one; `status` is asked for at its end."""
        if self._tracer is None:
            yield
            return
        from opentelemetry.propagate import extract
        from opentelemetry.trace import SpanKind, StatusCode

        carrier = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        with self._tracer.start_as_current_span(
            scope["method"],
            context=extract(carrier),
            kind=SpanKind.SERVER,
            # the text of an error may quote what was asked
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            try:
                yield
            finally:
                path = str(getattr(scope.get("route"), "path", ""))
                span.update_name(f"{scope['method']} {path}".strip())
                span.set_attribute("http.request.method", scope["method"])
                span.set_attribute("http.route", path)
                span.set_attribute("doceo.request.id", scope["state"]["request_id"])
                span.set_attribute("http.response.status_code", status())
                if status() >= 500:
                    span.set_status(StatusCode.ERROR)

    def begun(self) -> Begun:
        """Return the place of a span of a model's work that begins now, in the running request."""
        if self._tracer is None:
            return None
        from opentelemetry.context import get_current

        return time.time_ns(), get_current()

    def model(self, begun: Begun, operation: str, model: str, tokens: tuple[int, int], said: tuple[str, str]) -> None:
        """Make the span of a model's work that ends now.

        Args:
            begun: Where it began.
            operation: `chat` or `embeddings`.
            model: The model's id.
            tokens: Of the prompt and the answer.
            said: Question and answer, which are left out unless content is wanted.
        """
        if self._tracer is None or begun is None:
            return
        start, context = begun
        names = ("gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens")
        attributes: dict[str, str | int] = {
            "gen_ai.operation.name": operation,
            "gen_ai.provider.name": "doceo",
            "gen_ai.request.model": model,
            **dict(zip(names, tokens, strict=True)),
        }
        if self._content:
            attributes["gen_ai.input.messages"] = _message("user", said[0])
            attributes["gen_ai.output.messages"] = _message("assistant", said[1])
        self._tracer.start_span(f"{operation} {model}", context, attributes=attributes, start_time=start).end()


def _message(role: str, text: str) -> str:
    return json.dumps([{"role": role, "parts": [{"type": "text", "content": text}]}], ensure_ascii=False)


@contextmanager
def open_spans(config: ServiceConfig) -> Iterator[Spans]:
    """Open what makes spans; those that were made are sent before it closes. Raises MissingExtra."""
    if not (config.otlp_endpoint or any(os.environ.get(name) for name in _VARIABLES)):
        yield Spans()
        return
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as error:
        raise MissingExtra("opentelemetry-sdk", extra="otel", purpose="Tracing") from error
    address = config.otlp_endpoint.rstrip("/")
    exporter = OTLPSpanExporter(endpoint=f"{address}/v1/traces" if address else None)
    named = {"service.name": os.environ.get("OTEL_SERVICE_NAME", "doceo"), "service.version": version("doceo")}
    provider = TracerProvider(resource=Resource.create(named), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    try:
        yield Spans(provider.get_tracer("doceo"), content=config.trace_content)
    finally:
        provider.shutdown()
