"""The lexical arm: BM25 over word stems (Robertson and Zaragoza 2009; k1 1.2, b 0.75), in a tantivy folder.

Texts are indexed, not stored. The words of deleted passages would stay in tantivy's files, so what held a deleted
passage is written anew (`rag.lexical_parts`).
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Set
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from doceo.text.sentences import sentence_spans
from doceo.text.surrogates import without_surrogates
from doceo.text.words import STOP_WORDS

if TYPE_CHECKING:
    import tantivy

FOLDER = "lexical"
_FIELDS = ("header", "body")
_MANY = 400
"""Ids from which a set of terms, an automaton that is built anew for every search, is the cheaper way to name them."""


@lru_cache(maxsize=1024)
def stems_by_sentence(text: str) -> tuple[frozenset[str], ...]:
    """Return the stems of each sentence of a passage; those of the latest passages are kept."""
    analyzer = _analyzer()
    return tuple(frozenset(analyzer.analyze(without_surrogates(text[a:b]))) for a, b in sentence_spans(text))


@lru_cache(maxsize=1024)
def stems_of_line(text: str) -> frozenset[str]:
    """Return the stems of a short text, such as the headings above a passage; those of the latest are kept."""
    return frozenset(_analyzer().analyze(without_surrogates(text)))


class Lexical:
    """An open tantivy folder. Searches may run in several threads."""

    def __init__(self, folder: Path) -> None:
        """Open a folder. Raises ValueError where it is damaged or missing."""
        import tantivy

        self._analyzer = _analyzer()
        index = tantivy.Index.open(str(folder))
        index.register_tokenizer("passage", self._analyzer)
        self._schema = index.schema
        self._searcher = index.searcher()

    def count(self) -> int:
        """Return how many passages there are."""
        return int(self._searcher.num_docs)

    def stems(self, text: str) -> list[str]:
        """Return the stems of a text in order, stop words among them."""
        return list(self._analyzer.analyze(without_surrogates(text)))

    def weight(self, stem: str) -> float:
        """Return how telling a stem is: the inverse document frequency that BM25 uses, over the bodies."""
        frequency = int(self._searcher.doc_freq("body", stem))
        return math.log(1.0 + (self.count() - frequency + 0.5) / (frequency + 0.5))

    def terms(self, text: str) -> list[str]:
        """Return the distinct stems of a text that are searched for: without stop words, unless it has no others."""
        words = _words(text)
        kept = [word for word in words if word not in STOP_WORDS] or words
        return list(dict.fromkeys(stem for word in kept for stem in self._analyzer.analyze(word)))

    def search(self, text: str, k: int, within: Collection[str] | None = None) -> list[tuple[str, float]]:
        """Return up to k (id, BM25 score), best first; with `within`, the scores of these ids only.

        The text is taken as words and never as query syntax. Ids without any of its words are left out.
        """
        from tantivy import Occur, Query

        terms = self.terms(text)
        if not terms or k < 1 or (within is not None and not within):
            return []
        words = Query.boolean_query(
            [(Occur.Should, Query.term_query(self._schema, field, term)) for term in terms for field in _FIELDS]
        )
        if within is None:
            return self._found(words, k)
        allowed = within if isinstance(within, Set) else set(within)
        wide = 2 * k * self.count() // len(allowed)
        while wide <= len(allowed):  # to look through so many passages costs less than to name so many ids
            found = self._found(words, wide)
            kept = [pair for pair in found if pair[0] in allowed][:k]
            if len(kept) == k or len(found) < wide:
                return kept
            wide *= 4
        ids = Query.const_score_query(self._named(allowed), 0.0)
        return self._found(Query.boolean_query([(Occur.Must, words), (Occur.Must, ids)]), k)

    def _named(self, ids: Collection[str]) -> tantivy.Query:
        """Return the query that finds the passages of these ids."""
        from tantivy import Occur, Query

        if len(ids) > _MANY:
            return Query.term_set_query(self._schema, "id", list(ids))
        return Query.boolean_query([(Occur.Should, Query.term_query(self._schema, "id", key)) for key in ids])

    def _found(self, query: tantivy.Query, k: int) -> list[tuple[str, float]]:
        found = [
            (str(self._searcher.doc(address)["id"][0]), float(score or 0.0))
            for score, address in self._searcher.search(query, limit=k, count=False).hits
        ]
        return sorted(found, key=lambda pair: (-pair[1], pair[0]))


def write(folder: Path, passages: Iterable[tuple[str, str, str]]) -> None:
    """Write a new folder from (id, header, body). The header is title and headings: searched with the body."""
    import tantivy

    builder = tantivy.SchemaBuilder()
    builder.add_text_field("id", stored=True, tokenizer_name="raw", index_option="basic")
    for field in _FIELDS:
        builder.add_text_field(field, tokenizer_name="passage", index_option="freq")
    folder.mkdir(parents=True)
    index = tantivy.Index(builder.build(), path=str(folder))
    index.register_tokenizer("passage", _analyzer())
    writer = index.writer(heap_size=50_000_000, num_threads=1)
    for key, header, body in passages:
        writer.add_document(tantivy.Document(id=key, header=without_surrogates(header), body=without_surrogates(body)))
    writer.commit()
    writer.wait_merging_threads()


def _words(text: str) -> list[str]:
    import tantivy

    simple = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.simple()).filter(tantivy.Filter.lowercase()).build()
    return list(simple.analyze(without_surrogates(text)))


def _analyzer() -> tantivy.TextAnalyzer:
    from tantivy import Filter, TextAnalyzerBuilder, Tokenizer

    builder = TextAnalyzerBuilder(Tokenizer.simple()).filter(Filter.remove_long(60)).filter(Filter.lowercase())
    return builder.filter(Filter.ascii_fold()).filter(Filter.stemmer("english")).build()
