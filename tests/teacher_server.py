"""An OpenAI-compatible server in a process of its own that teaches by a rule: one question for every sentence.

    python teacher_server.py SECONDS     prints its port; every answer takes SECONDS

GET /seen returns how many chat requests it has answered. Of a passage it makes as many pairs as it is asked for, from
the sentences that no earlier question was about; anything else it answers with a rewording.
"""

from __future__ import annotations

import contextlib
import json
import re
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SEEN: list[str] = []
LOCK = threading.Lock()


def reply(asked: str) -> str:
    """Return what a chat model would say."""
    passage = re.search(r"<passage[^>]*>\s*(.*?)\s*</passage>", asked, re.DOTALL)
    if passage is None:
        question = re.search(r"Question: (.*)", asked)
        return "Say again: " + (question.group(1) if question else "nothing")
    known = asked.split("Questions that exist already")[1]
    number = re.search(r"Pairs to write: (\d+)", asked)
    sentences = [s.strip() for s in re.split(r"(?<=\.)\s+", passage.group(1)) if len(s.split()) > 5 and "#" not in s]
    pairs = []
    for sentence in sentences:
        words = sentence.rstrip(".").split()
        question = f"What is said of {' '.join(words[:5])} with regard to {words[-1]}?"
        if question not in known:
            answer = " ".join(words[2:])
            pairs.append(
                {"question": question, "answer": answer, "quote": sentence, "kind": "fact", "difficulty": "easy"}
            )
    return json.dumps({"pairs": pairs[: int(number.group(1)) if number else 1]})


class Teacher(BaseHTTPRequestHandler):
    """Answers chat requests."""

    protocol_version = "HTTP/1.1"
    seconds = 0.0

    def log_message(self, *args: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        with LOCK:
            self._send({"seen": len(SEEN)})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with LOCK:
            SEEN.append(body["model"])
        time.sleep(self.seconds)
        message = {"role": "assistant", "content": reply(body["messages"][-1]["content"])}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        usage = {"prompt_tokens": 1000, "completion_tokens": 400, "total_tokens": 1400}
        self._send(
            {
                "id": "c",
                "object": "chat.completion",
                "created": 1,
                "model": body["model"],
                "choices": [choice],
                "usage": usage,
            }
        )

    def _send(self, value: object) -> None:
        content = json.dumps(value).encode()
        with contextlib.suppress(ConnectionError):  # who asked may have been killed
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)


if __name__ == "__main__":
    Teacher.seconds = float(sys.argv[1])
    server = ThreadingHTTPServer(("127.0.0.1", 0), Teacher)
    server.daemon_threads = True
    print(server.server_address[1], flush=True)  # noqa: T201 - the port is what the parent reads
    server.serve_forever()
