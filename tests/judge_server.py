"""An OpenAI-compatible server, in a thread, that judges: full marks, and the shorter of two answers is better."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class JudgeServer:
    """Where it is, and the bodies of what it was asked."""

    address: str
    seen: list[dict[str, object]] = field(default_factory=list)


def said(form: dict[str, object], user: str) -> str:
    """Return what the judge says."""
    if "better" not in form:
        return json.dumps({point: {"reason": "As it should be.", "mark": 2} for point in form})
    first, second = (re.search(rf"<{n} answer \w+>\n(.*?)\n</{n}", user, re.DOTALL) for n in ("first", "second"))
    assert first is not None
    assert second is not None
    lengths = len(first[1]), len(second[1])
    better = "tie" if lengths[0] == lengths[1] else "first" if lengths[0] < lengths[1] else "second"
    return json.dumps({"reason": "It is shorter.", "better": better})


@contextmanager
def judge_server(seconds: float = 0.0) -> Iterator[JudgeServer]:
    """Serve on a free port; every reply takes so many seconds."""
    served = JudgeServer("")

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *args: object) -> None:
            """Say nothing."""

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            served.seen.append(body)
            time.sleep(seconds)
            form = body["response_format"]["json_schema"]["schema"]["properties"]
            message = {"role": "assistant", "content": said(form, body["messages"][-1]["content"])}
            usage = {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100}
            choice = {"index": 0, "message": message, "finish_reason": "stop"}
            reply = {"id": "c", "object": "chat.completion", "created": 1, "model": body["model"], "choices": [choice]}
            content = json.dumps({**reply, "usage": usage}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    served.address = f"http://127.0.0.1:{server.server_address[1]}/v1"
    try:
        yield served
    finally:
        server.shutdown()
        server.server_close()
