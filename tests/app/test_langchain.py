from __future__ import annotations

import re
from inspect import signature
from pathlib import Path
from typing import Any

import pytest
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever

from doceo.app import langchain
from doceo.app.models import open_async, open_provider
from doceo.app.settings import Settings
from doceo.core.errors import IndexUnusable, MissingPackage, UsageError
from doceo.core.progress import Silent
from rag.retriever import HybridRetriever

PAGE = Path(__file__).resolve().parents[2] / "docs" / "langchain.md"
GUIDE = "The harbour office issues fishing permits. A fishing permit is valid for one year. It costs 30 euros.\n"


class Notes(BaseRetriever):
    def _get_relevant_documents(self, query: str, *, run_manager: Any) -> list[Document]:
        return [Document("The office is closed in August.", metadata={"source": "notes.txt"})]


def test_the_code_of_the_page(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(IndexUnusable):
        langchain.retriever()
    blocks = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    Path("guide").mkdir()
    Path("guide/permits.md").write_text(GUIDE, encoding="utf-8")
    names: dict[str, Any] = {}
    exec(blocks[0], names)
    found, cited, streamed = capsys.readouterr().out.splitlines()
    assert found.startswith("guide/permits.md {'document_id'")
    assert "A fishing permit is valid for one year." in cited
    assert cited.endswith("True)]")
    assert streamed
    assert names["answerer"].name == "quote+rag"
    if "further" in signature(HybridRetriever).parameters:
        exec(blocks[1], names)
        assert "notes.txt" in capsys.readouterr().out
    given: list[Any] = []

    class Hybrid:
        def __init__(self, index: Any, config: Any, *, further: Any, reranker: Any) -> None:
            self.index = index
            given.extend(further)

    monkeypatch.setattr("rag.retriever.HybridRetriever", Hybrid)
    langchain.retriever(arms=[Notes(), Notes()])
    assert [arm.name for arm in given] == ["langchain", "langchain-2"]
    assert [passage.hit.source for passage in given[0].search("?", 4)] == ["notes.txt"]
    with pytest.raises(UsageError):
        langchain.answerer(model="openia:x")


def test_a_vendor_is_opened_wherever_a_model_is_named(tmp_path: Path) -> None:
    spec, settings = "langchain:upstage:solar", Settings()
    with pytest.raises(MissingPackage, match="langchain-upstage"):
        open_provider(spec, settings, journal=None, progress=Silent())
    with pytest.raises(MissingPackage, match="langchain-upstage"):
        open_async(spec, settings, journal=tmp_path / "j", budget=None, progress=Silent())
