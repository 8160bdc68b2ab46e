"""What is installed, reachable and writable; each problem with its cure."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

from doceo.app.machine import GIB, describe, suggested_base
from doceo.app.runs import HOME, collection_folder
from doceo.app.settings import Settings
from doceo.core.errors import DoceoError
from doceo.providers.chat import is_remote, list_models
from doceo.providers.shipped_model import located

if TYPE_CHECKING:
    from doceo.app.store.store import Store

PACKAGES = (
    "torch",
    "transformers",
    "trl",
    "peft",
    "chromadb",
    "tantivy",
    "onnxruntime",
    "pypdfium2",
    "markitdown",
    "openai",
)
EXTRAS = {
    "gguf": "xllamacpp",
    "qlora": "bitsandbytes",
    "postgres": "psycopg",
    "ray": "ray",
    "trackers": "trackio",
    "ocr": "rapidocr",
}
LEAST_DISK = 2 * GIB


@dataclass(frozen=True)
class Finding:
    """One thing looked at. `cure` says what to do where `ok` is False; an optional thing that is absent is ok."""

    name: str
    ok: bool
    words: str
    cure: str = ""


def findings(settings: Settings, home: Path = HOME) -> Iterator[Finding]:
    """Yield what was found, one thing at a time. Nothing is sent; a named server is asked for its list of models."""
    machine = describe()
    yield Finding("machine", ok=True, words=f"{machine.words()}; suggested base: {suggested_base(machine)}")
    for package in PACKAGES:
        yield _package(package)
    for extra, package in EXTRAS.items():
        found = _version(package)
        yield Finding(
            f"extra {extra}",
            ok=True,
            words=f"{package} {found}" if found else f"not installed: pip install 'doceo[{extra}]'",
        )
    yield _embedder(settings)
    yield _disk(home)
    yield from kept(settings, home)
    for name, spec in (("teacher", settings.teacher), ("model", settings.model)):
        if is_remote(spec):
            yield _server(name, spec, settings)
    if settings.base and settings.base != "none":
        yield _base(settings.base)


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _package(package: str) -> Finding:
    found = _version(package)
    cure = "pip install torch==2.13.0" if package == "torch" else "pip install --no-deps -r requirements.txt"
    return Finding(package, ok=bool(found), words=found or "not installed", cure=cure)


def _embedder(settings: Settings) -> Finding:
    from doceo.providers.embedders import open_embedder

    try:
        embedder = open_embedder(settings.embedder)
        embedder.embed(["a word"])
    except DoceoError as error:
        return Finding("embedder", ok=False, words=error.message, cure=error.hint)
    return Finding("embedder", ok=True, words=embedder.fingerprint)


def _disk(home: Path) -> Finding:
    place = home if home.exists() else Path()
    free = shutil.disk_usage(place).free
    return Finding(
        "disk", ok=free > LEAST_DISK, words=f"{free / GIB:.1f} GiB free in {place.resolve()}", cure="Free some space."
    )


def _server(name: str, spec: str, settings: Settings) -> Finding:
    try:
        host, models = list_models(spec, base_url=settings.base_url or None)
    except DoceoError as error:
        return Finding(name, ok=False, words=error.message, cure=error.hint)
    wanted = spec.partition(":")[2]
    if models and wanted not in models:
        return Finding(
            name, ok=False, words=f"{host} does not list {wanted}", cure=f"It lists: {', '.join(models[:8])}"
        )
    answers = "would be asked" if spec.startswith("langchain:") else "answers"
    return Finding(name, ok=True, words=f"{host} {answers}")


def _base(base: str) -> Finding:
    path = Path(located(base))
    if path.is_dir():
        ok = (path / "config.json").exists()
        return Finding(
            "base", ok=ok, words=f"{base}", cure="The folder has no config.json: it is no Hugging Face model."
        )
    return Finding("base", ok=True, words=f"{base}: will be fetched from the Hugging Face hub when it is needed")


def kept(settings: Settings, home: Path) -> Iterator[Finding]:
    """Look at what is kept: the database, whether what it names is there, collections. Nothing is made or changed."""
    from doceo.app.plain_collections import names

    yield from _database(settings, home)
    cure = "Delete it with doceo collections --delete NAME, and index its documents again."
    yield _indexes("collections", names(home), home, cure)


def _database(settings: Settings, home: Path) -> Iterator[Finding]:
    from doceo.app.store.places import address, exists, shown

    url = settings.database_url
    place = shown(url)
    if not exists(url):
        yield _no_database(place, home)
        return
    from doceo.app.store.engine import Database
    from doceo.app.store.schema import HEAD
    from doceo.app.store.schema import version as tables_of
    from doceo.app.store.store import Store

    try:
        database = Database(address(url))
        with database.reading() as connection:
            found = tables_of(connection)
        if found == HEAD:
            yield Finding("database", ok=True, words=place)
            yield from _named(Store(database), home)
            return
    except DoceoError as error:
        yield Finding("database", ok=False, words=error.message, cure=error.hint)
        return
    newer = found is not None and found > HEAD
    words = f"{place} was made by {'a newer' if newer else 'an older'} version of Doceo"
    yield Finding("database", ok=not newer, words=words, cure="Update Doceo, or restore the backup of before.")


def _no_database(place: str, home: Path) -> Finding:
    """Say that there is no database yet, or that it is lost: there is what it would name."""
    from doceo.app.host import FILES, JOBS

    held = [folder for folder in (home / FILES, home / JOBS) if folder.is_dir() and any(folder.iterdir())]
    if not held:
        return Finding("database", ok=True, words=f"{place}: not made yet")
    words = f"{place} is not there, and {' and '.join(map(str, held))} hold what it names"
    cure = "Restore it from the same backup as the folder, or name where it is in DOCEO_DATABASE_URL."
    return Finding("database", ok=False, words=words, cure=cure)


def _named(store: Store, home: Path) -> Iterator[Finding]:
    """Look for the files, tuned models and indexes that the database names. Raises StorageError."""
    from doceo.app.host import FILES, JOBS
    from doceo.app.uploads import Uploads

    files, models = store.files.ids(), store.models.folders()
    uploads = Uploads(store.files, home / FILES)
    yield _present("files", files, [file for file in files if not uploads.holds(file)], home / FILES)
    # asked once more, as files come and go meanwhile: a row is written before its bytes have their name, and goes last
    unknown = sorted({*uploads.held()} - {*files})
    if strange := [name for name in unknown if not store.files.is_kept(name) and uploads.holds(name)]:
        # those that came between the copies of database and folder are no fault of a backup
        words = f"{len(strange)} in {home / FILES} are not in the database, such as {strange[0]}: nobody can reach them"
        cure = "The database knows no file at all: restore it from the same backup as the folder."
        yield Finding("unknown files", ok=bool(files), words=words, cure=cure)
    gone = [folder for folder in models if not (home / JOBS / folder).is_dir()]
    yield _present("tuned models", models, gone, home / JOBS)
    cure = "Search it once while the service and a worker run: its index is made again of its files."
    indexed = store.vector_stores.indexed()
    bare = store.vector_stores.count() - len(indexed)
    yield _indexes("vector stores", indexed, home, cure, f"; without text: {bare}" if bare else "")


def _present(what: str, named: Sequence[str], gone: Sequence[str], folder: Path) -> Finding:
    lacking = f"; {len(gone)} are not in {folder}, such as {gone[0]}" if gone else ""
    cure = "Restore the folder from the same backup as the database."
    return Finding(what, ok=not gone, words=f"{len(named)} in the database{lacking}", cure=cure)


def _indexes(what: str, names: Sequence[str], home: Path, cure: str, others: str = "") -> Finding:
    """Look whether indexes can be read; the first three that cannot are named. `others` says what has none."""
    wrong = [f"{name}: {why}" for name in names if (why := _unreadable(collection_folder(name, home)))]
    return Finding(what, ok=not wrong, words=" ".join(wrong[:3]) or f"{len(names)} can be read{others}", cure=cure)


def _unreadable(index: Path) -> str:
    """Say why an index cannot be read; nothing where it can."""
    from rag.index import summary

    try:
        return "" if summary(index) is not None else "It is not there, or was never finished."
    except DoceoError as error:
        return error.message
