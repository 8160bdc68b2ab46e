"""An OpenAI-compatible server in a process of its own that fails as it is told.

    python scripted_server.py        prints its port, serves until it is killed

POST /script sets what the next chat requests get, in order: a list of steps, the last one repeated. GET /seen returns
the bodies of all chat requests since the last script, GET .../models lists two models. Steps: {"text": ...} answers,
{last} being the last message; {"status": ..., "message": ..., "headers": {...}, "code": ..., "param": ...} fails;
{"raw": ...} sends a body as it is; {"reset": true} drops the connection; any step may have "sleep" seconds, "finish",
"usage" (null for none), "content_null". A stream tells its usage where it is asked to, behind the text, or in every
chunk with "usage_everywhere".
"""

from __future__ import annotations

import json
import socket
import struct
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

LOCK = threading.Lock()
STEPS: list[dict[str, Any]] = [{"text": "hello"}]
SEEN: list[dict[str, Any]] = []
ACTIVE = {"now": 0, "most": 0}
USAGE = {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110}


class Chat(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args: object) -> None: ...

    def send(
        self, status: int, body: bytes, kind: str = "application/json", headers: dict[str, str] | None = None
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self) -> None:
        if self.path.endswith("/models"):
            models = [{"id": name, "object": "model", "created": 1, "owned_by": "me"} for name in ("small", "large")]
            self.send(200, json.dumps({"object": "list", "data": models}).encode())
            return
        with LOCK:
            self.send(200, json.dumps({"requests": SEEN, "most": ACTIVE["most"]}).encode())

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or b"null")
        if self.path == "/script":
            with LOCK:
                STEPS[:] = body
                SEEN.clear()
                ACTIVE.update(now=0, most=0)
            self.send(200, b"{}")
            return
        with LOCK:
            SEEN.append({"body": body, "authorization": self.headers.get("Authorization"), "path": self.path})
            step = STEPS.pop(0) if len(STEPS) > 1 else STEPS[0]
            ACTIVE["now"] += 1
            ACTIVE["most"] = max(ACTIVE["most"], ACTIVE["now"])
        try:
            time.sleep(step.get("sleep", 0))
            self.follow(step, body)
        finally:
            with LOCK:
                ACTIVE["now"] -= 1

    def follow(self, step: dict[str, Any], body: dict[str, Any]) -> None:
        if step.get("refuse_if") and step["refuse_if"] in json.dumps(
            {k: v for k, v in body.items() if k != "messages"}
        ):
            step = {"status": 400, **step}
        elif step.get("refuse_if"):
            step = {"text": step.get("text", "accepted")}
        if step.get("reset"):
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
            self.close_connection = True
        elif "status" in step:
            error = {
                "message": step.get("message", "no"),
                "type": "error",
                "param": step.get("param"),
                "code": step.get("code"),
            }
            self.send(step["status"], json.dumps({"error": error}).encode(), headers=step.get("headers"))
        elif "raw" in step:
            self.send(200, step["raw"].encode(), kind=step.get("kind", "application/json"))
        elif body.get("stream"):
            asked = bool((body.get("stream_options") or {}).get("include_usage"))
            text = step["text"].replace("{last}", body["messages"][-1]["content"])
            self.stream({**step, "text": text, "asked_for_usage": asked})
        else:
            text = None if step.get("content_null") else step["text"].replace("{last}", body["messages"][-1]["content"])
            message = {"role": "assistant", "content": text, "refusal": step.get("refusal")}
            choice = {"index": 0, "message": message, "finish_reason": step.get("finish", "stop"), "logprobs": None}
            reply = {"id": "c", "object": "chat.completion", "created": 1, "model": body["model"], "choices": [choice]}
            self.send(200, json.dumps({**reply, "usage": step.get("usage", USAGE)}).encode())

    def stream(self, step: dict[str, Any]) -> None:
        words = step["text"].split(" ")
        lines = []
        for index, word in enumerate(words):
            delta = {"role": "assistant", "content": word if index == len(words) - 1 else word + " "}
            choice = {"index": 0, "delta": delta, "finish_reason": None}
            lines.append(chunk([choice], USAGE if step.get("usage_everywhere") else None))
        usage = step.get("usage", USAGE) if step["asked_for_usage"] else None
        end = [{"index": 0, "delta": {}, "finish_reason": step.get("finish", "stop")}]
        lines.append(chunk(end, usage if step.get("usage_everywhere") else None))
        if usage and not step.get("usage_everywhere"):
            lines.append(chunk([], usage))
        if "break_after" in step:
            lines = lines[: step["break_after"]]
            body = "".join(lines).encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.send_header("Content-Length", str(len(body) + 100))
            self.end_headers()
            self.wfile.write(body)
            self.wfile.flush()
            self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True
            return
        self.send(200, "".join(lines).encode() + b"data: [DONE]\n\n", kind="text/event-stream")


def chunk(choices: list[dict[str, Any]], usage: dict[str, Any] | None) -> str:
    whole = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": choices}
    return f"data: {json.dumps({**whole, 'usage': usage})}\n\n"


if __name__ == "__main__":
    ThreadingHTTPServer.request_queue_size = 256
    server = ThreadingHTTPServer(("127.0.0.1", 0), Chat)
    server.daemon_threads = True
    print(server.server_address[1], flush=True)  # noqa: T201 (the port is what the parent reads)
    server.serve_forever()
