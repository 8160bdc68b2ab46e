"""llama.cpp in this process, through the package `xllamacpp`: one GGUF file, asked by token ids.

The package always opens an HTTP server beside it. It listens on 127.0.0.1 at a port that the system chooses and takes
only a key that is drawn at the start and kept here; what has no other way (tokens, templates) is asked there.
"""

from __future__ import annotations

import json
import os
import secrets
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import psutil

from doceo.core.errors import MissingExtra, ModelNotFound, ProviderError, RequestRejected

_MAGIC = b"GGUF"
_LEAST_CONTEXT = 512


class LlamaServer:
    """A GGUF file opened by llama.cpp. Safe to call from several threads; requests wait for one another.

    Args:
        path: The file.
        context: Most tokens that prompt and answer may have together; less where the model reads less.
        exact: To compare with a reference: keys and values stay in float32, attention takes no shortcuts, and
            llama.cpp reads the chat template too. Else it does not, as some are beyond it.

    Raises:
        ModelNotFound: There is no such file.
        ProviderError: The file is no GGUF file, is damaged, or is of an architecture that llama.cpp does not know.
        MissingExtra: The package `xllamacpp` is not installed.
    """

    def __init__(self, path: Path, *, context: int, exact: bool = False) -> None:
        check_file(path)
        self._key = secrets.token_hex(16)
        settings = _settings(path, context, self._key, exact=exact)
        self._server: Any = _start(settings) or _start_without_template(settings, path)
        self._reads_template = bool(settings.use_jinja)
        facts = self._ask("/props")
        self.context = int(facts["default_generation_settings"]["n_ctx"])
        self.template = str(facts["chat_template"])
        self.bos_token, self.eos_token = str(facts.get("bos_token", "")), str(facts.get("eos_token", ""))

    def tokens(self, text: str, *, add_special: bool = False) -> list[int]:
        """Return the ids of a rendered prompt: marks in it count as such.

        With `add_special` the token that begins a text is put before it where the file asks for that, as servers do.
        """
        found = self._ask("/tokenize", {"content": text, "add_special": add_special, "parse_special": True})
        return [int(number) for number in found["tokens"]]

    def prompt(self, messages: Sequence[Mapping[str, str]], **more: str) -> str:
        """Return the prompt that transformers makes of messages with the file's chat template.

        `more` are variables for the template. Raises jinja2's TemplateError where it refuses the messages.
        """
        from transformers.utils.chat_template_utils import render_jinja_template

        rendered, _ = render_jinja_template(
            conversations=[[dict(message) for message in messages]],
            chat_template=self.template,
            add_generation_prompt=True,
            bos_token=self.bos_token,
            eos_token=self.eos_token,
            **more,
        )
        return str(rendered[0])

    def own_prompt(self, messages: Sequence[Mapping[str, str]], **more: str) -> str:
        """Return the prompt that llama.cpp itself makes of messages, as its server does. Raises RequestRejected."""
        if not self._reads_template:
            raise _rejected("it cannot read the chat template")
        asked = {"messages": [dict(message) for message in messages], "chat_template_kwargs": more}
        return str(self._ask("/apply-template", asked)["prompt"])

    def complete(self, body: Mapping[str, object]) -> dict[str, Any]:
        """Return llama.cpp's reply (the form of OpenAI's completions) to a request. Raises RequestRejected."""
        return self._checked(self._server.handle_completions(dict(body)))

    def written(self, ids: Sequence[int], most: int) -> list[int]:
        """Return the ids of the greedy answer to a prompt, its end mark included. Raises RequestRejected."""
        body = {"prompt": list(ids), "n_predict": most, "temperature": 0, "return_tokens": True, "cache_prompt": False}
        return [int(number) for number in self._ask("/completion", body)["tokens"]]

    def stream(self, body: Mapping[str, object], take: Callable[[dict[str, Any]], bool]) -> None:
        """Hand a reply on piece by piece to `take`, which returns True to have no more. Raises RequestRejected."""
        failures: list[dict[str, Any]] = []

        def piece(chunk: dict[str, Any]) -> bool:
            if "error" in chunk:
                failures.append(chunk)
                return True
            return take(chunk)

        answered = self._server.handle_completions({**body, "stream": True}, piece)
        self._checked(failures[0] if failures else answered or {})

    def close(self) -> None:
        """Give the memory back; the server is gone when this returns."""
        self._server = None

    def _checked(self, reply: dict[str, Any]) -> dict[str, Any]:
        if "error" in reply:
            raise _rejected(str(reply["error"].get("message", reply["error"])))
        return reply

    def _ask(self, path: str, body: object = None) -> dict[str, Any]:
        """Ask the HTTP server of this process, without any proxy."""
        request = urllib.request.Request(
            self._server.listening_address + path,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {self._key}", "Content-Type": "application/json"},
        )
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=600) as reply:
                return dict(json.load(reply))
        except urllib.error.HTTPError as error:
            raise _rejected(error.read().decode("utf-8", "replace")) from error


def _rejected(words: str) -> RequestRejected:
    return RequestRejected(
        f"llama.cpp refuses the request: {' '.join(words.split())[:240]}",
        hint="Ask with fewer or shorter passages, or choose a model with a longer context.",
    )


def check_file(path: Path) -> None:
    """Raise what keeps a file from being opened, as far as its first bytes tell.

    Raises ModelNotFound, ProviderError, and MissingExtra without llama.cpp.
    """
    if not path.is_file():
        raise ModelNotFound(
            f"There is no file {path}.", hint="Name a .gguf file; one is made by: doceo export-model ADAPTER --to gguf"
        )
    with path.open("rb") as file:
        if file.read(len(_MAGIC)) != _MAGIC:
            raise ProviderError(f"{path} is not a GGUF file.", hint="A folder of safetensors is opened as hf:FOLDER.")
    try:
        import xllamacpp  # noqa: F401
    except ImportError as error:
        raise MissingExtra("xllamacpp", extra="gguf", purpose="Opening GGUF files") from error


def _settings(path: Path, context: int, key: str, *, exact: bool) -> Any:  # noqa: ANN401 - xllamacpp ships no types
    import xllamacpp

    settings = xllamacpp.CommonParams()
    settings.model.path = str(path)
    settings.n_ctx = max(context, _LEAST_CONTEXT)
    # One request at a time has the whole context, and gives the same answer whoever else asks.
    settings.n_parallel = 1
    settings.cpuparams.n_threads = settings.cpuparams_batch.n_threads = _threads()
    settings.verbosity = 0
    settings.warmup = settings.ui = settings.endpoint_slots = False
    settings.cache_ram_mib = 0
    settings.hostnames, settings.port, settings.api_keys = ["127.0.0.1"], 0, [key]
    settings.use_jinja = exact
    if exact:
        settings.cache_type_k = settings.cache_type_v = xllamacpp.ggml_type.GGML_TYPE_F32
        settings.flash_attn_type = xllamacpp.llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_DISABLED
    return settings


def _start(settings: Any) -> Any:  # noqa: ANN401 - as above
    """Return a running server, None where it does not start."""
    import xllamacpp

    try:
        server = xllamacpp.Server(settings)
    except RuntimeError:
        return None
    # A server that is closed before its loop has begun waits for itself for ever: an answer shows that it has.
    server.handle_completions({"prompt": [0], "max_tokens": 1})
    return server


def _start_without_template(settings: Any, path: Path) -> Any:  # noqa: ANN401 - as above
    settings.use_jinja = False
    server = _start(settings)
    if server is None:
        raise ProviderError(
            f"llama.cpp cannot open {path}.",
            hint="The file may be cut off, too large for the memory, or newer than this llama.cpp; "
            "try: pip install --upgrade xllamacpp",
        )
    return server


def _threads() -> int:
    """Return the cores to compute with; OMP_NUM_THREADS limits them, as it does for torch."""
    here = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    wanted = os.environ.get("OMP_NUM_THREADS", "")
    return int(wanted) if wanted.isdigit() and int(wanted) else max(1, min(here, psutil.cpu_count(logical=False) or 1))
