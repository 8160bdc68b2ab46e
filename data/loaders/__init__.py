"""Files to text. `LOADERS` names, for every ending, the function that reads it; a loader is imported on use.

A loader takes a file's bytes and a size limit and returns a `Loaded`, or raises `Unreadable` with a reason for
`skipped.jsonl`.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from data.loaders.loaded import Loaded, Unreadable

LOADERS: dict[str, str] = {
    ".txt": "data.loaders.plain:load_text",
    ".text": "data.loaders.plain:load_text",
    ".log": "data.loaders.plain:load_text",
    ".md": "data.loaders.plain:load_markdown",
    ".markdown": "data.loaders.plain:load_markdown",
    ".rst": "data.loaders.rst:load_rst",
    ".org": "data.loaders.markup:load_org",
    ".html": "data.loaders.html:load_html",
    ".htm": "data.loaders.html:load_html",
    ".xhtml": "data.loaders.html:load_html",
    ".xml": "data.loaders.markup:load_xml",
    ".pdf": "data.loaders.pdf:load_pdf",
    ".docx": "data.loaders.office:load_docx",
    ".pptx": "data.loaders.office:load_pptx",
    ".xlsx": "data.loaders.spreadsheet:load_xlsx",
    ".odt": "data.loaders.odt:load_odt",
    ".rtf": "data.loaders.markup:load_rtf",
    ".epub": "data.loaders.office:load_epub",
    ".csv": "data.loaders.tables:load_csv",
    ".tsv": "data.loaders.tables:load_csv",
    ".json": "data.loaders.json_records:load_json",
    ".jsonl": "data.loaders.json_records:load_jsonl",
    ".ndjson": "data.loaders.json_records:load_jsonl",
    ".eml": "data.loaders.mail:load_eml",
}
SOURCE_CODE = (
    ".py", ".js", ".ts", ".tsx", ".jsx", ".java", ".kt", ".scala", ".c", ".h", ".cc", ".cpp", ".hpp", ".cs", ".go",
    ".rs", ".rb", ".php", ".pl", ".lua", ".r", ".jl", ".swift", ".sh", ".ps1", ".sql", ".css", ".tex", ".yaml", ".yml",
    ".toml", ".ini", ".cfg", ".conf",
)  # fmt: skip
"""Endings of program code and config files, which are read as they stand."""
LOADERS |= dict.fromkeys(SOURCE_CODE, "data.loaders.plain:load_source")

_ADVICE = {
    **dict.fromkeys((".doc", ".dot"), "an old Word file; save it as .docx"),
    **dict.fromkeys((".xls", ".xlsb", ".ods"), "a spreadsheet of another format; save it as .xlsx or .csv"),
    **dict.fromkeys((".ppt", ".odp", ".key"), "slides of another format; save them as .pptx or .pdf"),
    **dict.fromkeys((".pages", ".wpd"), "a text of another format; save it as .docx or .pdf"),
    **dict.fromkeys((".png", ".jpg", ".jpeg", ".tif", ".tiff", ".gif", ".bmp", ".webp"), "a picture holds no text"),
    **dict.fromkeys((".zip", ".tar", ".gz", ".tgz", ".7z", ".rar"), "an archive; unpack it and name the folder"),
    **dict.fromkeys((".mobi", ".azw3", ".djvu"), "a book of another format; convert it to .epub or .pdf"),
}


def loader_of(ending: str) -> Callable[[bytes, int], Loaded]:
    """Return the loader of a file ending such as `.pdf`. Raises Unreadable for an ending that has none."""
    ending = ending.lower()
    if ending not in LOADERS:
        raise Unreadable("unsupported", _ADVICE.get(ending, f"files of the ending {ending} are not read"))
    module, function = LOADERS[ending].split(":")
    loader: Callable[[bytes, int], Loaded] = getattr(import_module(module), function)
    return loader


def known_endings() -> str:
    """Return the endings of documents that are read, in a row of words."""
    return " ".join(ending for ending in LOADERS if ending not in SOURCE_CODE) + ", and program code"


__all__ = ["LOADERS", "Loaded", "Unreadable", "known_endings", "loader_of"]
