"""Reads a form with one file: the file goes to the disk as it comes, and is never whole in memory."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fastapi import Request
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.concurrency import run_in_threadpool

from doceo.app.uploads import Incoming
from doceo.service.refusals import Refusal

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

_LONGEST_FIELD = 16 * 1024
"""Bytes of a field that is no file."""
_MOST_PARTS = 32


@dataclass
class Form:
    """What came in: fields by name, and what the client calls the file; None where there was none."""

    fields: dict[str, str] = field(default_factory=dict)
    filename: str | None = None


class _Parts:
    """Takes the parser's events; the bytes of the part `file` go into `incoming`, at most `limit` of them."""

    def __init__(self, incoming: Incoming, limit: int) -> None:
        self.form, self.ended = Form(), False
        self._incoming, self._limit = incoming, limit
        self._count, self._name, self._is_file = 0, "", False
        self._header, self._value, self._disposition, self._text = b"", b"", b"", b""

    def callbacks(self) -> MultipartCallbacks:
        """Return what the parser calls."""
        return {
            "on_part_begin": self.on_part_begin,
            "on_header_field": self.on_header_field,
            "on_header_value": self.on_header_value,
            "on_header_end": self.on_header_end,
            "on_headers_finished": self.on_headers_finished,
            "on_part_data": self.on_part_data,
            "on_part_end": self.on_part_end,
            "on_end": self.on_end,
        }

    def on_part_begin(self) -> None:
        self._count += 1
        if self._count > _MOST_PARTS:
            raise Refusal(400, f"The form has more than {_MOST_PARTS} parts.")
        self._header = self._value = self._disposition = self._text = b""

    def on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def on_header_end(self) -> None:
        if self._header.lower() == b"content-disposition":
            self._disposition = self._value
        self._header = self._value = b""

    def on_headers_finished(self) -> None:
        _, options = parse_options_header(self._disposition)
        self._name = options.get(b"name", b"").decode("utf-8", "replace")
        self._is_file = b"filename" in options
        if not self._is_file:
            return
        if self._name != "file" or self.form.filename is not None:
            raise Refusal(400, "The form has to hold one file, in the field `file`.", param="file")
        self.form.filename = options[b"filename"].decode("utf-8", "replace")

    def on_part_data(self, data: bytes, start: int, end: int) -> None:
        if not self._is_file:
            self._text += data[start:end]
            if len(self._text) > _LONGEST_FIELD:
                raise Refusal(413, f"The field {self._name[:80]} is too long.")
            return
        if self._incoming.bytes + end - start > self._limit:
            message = f"The file is larger than {self._limit >> 20} MB, which is the most here."
            raise Refusal(413, message, code="too_large", param="file")
        self._incoming.write(data[start:end])

    def on_part_end(self) -> None:
        if not self._is_file:
            self.form.fields[self._name] = self._text.decode("utf-8", "replace")

    def on_end(self) -> None:
        self.ended = True


async def receive(request: Request, incoming: Incoming, limit: int) -> Form:
    """Return the fields of a request's form; its file is written to `incoming`.

    Raises Refusal: 400 for what is no such form, 413 for a file of more than `limit` bytes. Raises StorageError.
    """
    kind, options = parse_options_header(request.headers.get("content-type"))
    if kind != b"multipart/form-data" or not options.get(b"boundary"):
        raise Refusal(400, "Send the file as multipart/form-data, with the fields `file` and `purpose`.")
    parts = _Parts(incoming, limit)
    try:
        parser = MultipartParser(options[b"boundary"], parts.callbacks())
        async for block in request.stream():
            if block:
                # the disk can be slow: others are served meanwhile
                await run_in_threadpool(parser.write, block)
        parser.finalize()
    except FormParserError as error:
        raise Refusal(400, f"The form cannot be read: {error}.") from error
    if not parts.ended:
        raise Refusal(400, "The form ends in the middle.")
    return parts.form
