"""The report as a parser sees it."""

from __future__ import annotations

from html.parser import HTMLParser

SECTIONS = {"verdict", "answers", "scores", "examples", "questions", "dataset", "model", "pairs", "making"}
VOID = {"meta", "input", "br"}


class Page(HTMLParser):
    """What a browser would see: tags, attributes, and whether every tag is closed."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.marked: list[str] = []
        self.text = ""
        self.feed(html)
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag == "mark":
            self.marked.append("")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "mark" in self.open:
            self.marked[-1] += data
        if not {"style", "script"} & set(self.open):
            self.text += data

    @property
    def sections(self) -> list[str]:
        ids = [value for name, value in self.attributes if name == "id"]
        return [i for i in ids if i in SECTIONS]
