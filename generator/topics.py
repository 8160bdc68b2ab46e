"""Topics of a corpus: clusters of passage vectors, named by the terms that set them apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import log
from typing import TYPE_CHECKING

import numpy as np

from doceo.core.records import Chunk
from doceo.text.terms import UNSPACED, stemmed, terms
from doceo.text.words import STOP_WORDS

if TYPE_CHECKING:
    from numpy.typing import NDArray

SAMPLE = 20_000
"""Most passages that are embedded and clustered; the others join by their words."""
_MOST_TOPICS = 50
_SMALL = 2_000
_LABEL_TERMS = 3
_OWN = 1.5
"""How many times its even share a term must have in a topic to name it."""
_ROOT = 6
"""Letters from which two words of a label are forms of one."""
_NAMING = 200
"""Terms of a topic by which passages that were not embedded join it."""


@dataclass(frozen=True)
class Topics:
    """The topic of every chunk.

    Attributes:
        labels: Label of every chunk, by chunk id.
        sizes: Chunks of every label, largest first.
    """

    labels: dict[str, str]
    sizes: dict[str, int]


def topics_of(
    chunks: Sequence[Chunk],
    embed: Callable[[Sequence[str]], NDArray[np.float32]],
    k: int | None = None,
    seed: int = 0,
    *,
    vectors: Mapping[str, NDArray[np.float32]] | None = None,
) -> Topics:
    """Group chunks into topics.

    Vectors of a seeded sample of at most 20,000 chunks are clustered by k-means (by mini-batches, Sculley 2010, above
    2,000); the other chunks join the topic whose terms they hold most of. Labels are the three terms of highest
    class-based tf-idf (Grootendorst 2022) times idf that stand in the topic clearly more often than elsewhere.

    Args:
        chunks: All chunks, in order.
        embed: Texts to unit vectors, shape (texts, dimensions).
        k: How many topics; None for half the square root of the number of chunks, at least 2 and at most 50; at most
            as many as there are different texts.
        seed: Of the sample and the clustering.
        vectors: Vectors that are known already, by `text_sha256`; only others are embedded.
    """
    if not chunks:
        return Topics({}, {})
    wanted = k if k else min(_MOST_TOPICS, max(2, round(len(chunks) ** 0.5 / 2)))
    sample = list(chunks)
    if len(chunks) > SAMPLE:
        places = np.sort(np.random.default_rng(seed).choice(len(chunks), SAMPLE, replace=False))
        sample = [chunks[place] for place in places.tolist()]
    groups = _clusters(_embedded(sample, embed, vectors or {}), wanted, seed)
    said = [_said(chunk.text) for chunk in sample]
    weights = _weights(said, groups, 2)
    assigned = dict(zip((chunk.id for chunk in sample), groups, strict=True))
    if len(sample) < len(chunks):
        joins = _Joining(_weights(said, groups, 1))
        assigned |= {chunk.id: joins.group(chunk.text) for chunk in chunks if chunk.id not in assigned}
    names = _labels(weights, _shown(sample))
    labels = {chunk.id: names[assigned[chunk.id]] for chunk in chunks}
    sizes = Counter(labels.values())
    return Topics(labels, dict(sorted(sizes.items(), key=lambda item: (-item[1], item[0]))))


def _embedded(
    chunks: Sequence[Chunk],
    embed: Callable[[Sequence[str]], NDArray[np.float32]],
    known: Mapping[str, NDArray[np.float32]],
) -> NDArray[np.float32]:
    """Return the vectors of chunks; equal texts are embedded once."""
    missing = {chunk.text_sha256: chunk.text for chunk in chunks if chunk.text_sha256 not in known}
    fresh = dict(zip(missing, embed(list(missing.values())), strict=True)) if missing else {}
    return np.stack(
        [known[chunk.text_sha256] if chunk.text_sha256 in known else fresh[chunk.text_sha256] for chunk in chunks]
    )


def _clusters(vectors: NDArray[np.float32], k: int, seed: int) -> list[int]:
    """Return the cluster of every vector, numbered in order of first appearance."""
    from sklearn.cluster import KMeans, MiniBatchKMeans
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    k = min(k, len(np.unique(vectors, axis=0)))
    # sums of several threads come in no fixed order, and with them the clusters
    with threadpool_limits(1):
        if len(vectors) <= _SMALL:
            found = KMeans(k, n_init=4, random_state=seed).fit_predict(vectors)
        else:
            found = MiniBatchKMeans(k, n_init=4, batch_size=_SMALL, random_state=seed).fit_predict(vectors)
    numbers: dict[int, int] = {}
    return [numbers.setdefault(int(cluster), len(numbers)) for cluster in found]


def _said(text: str) -> Counter[str]:
    """Return the terms of a text that can name a topic, as stems: words, or pairs of characters without blanks."""
    found = terms(text)
    single = [stemmed(term) for term in found if _names_something(term)]
    double = [a + b for a, b in pairwise(found) if UNSPACED.match(a) and UNSPACED.match(b)]
    return Counter(single + double)


def _names_something(term: str) -> bool:
    return len(term) > 2 and term[0] != "-" and not any(map(str.isdigit, term)) and term not in STOP_WORDS


def _weights(said: Sequence[Counter[str]], groups: Sequence[int], least: int) -> list[dict[str, float]]:
    """Return the class-based tf-idf of the terms that are a topic's own, by topic.

    It is multiplied by the idf over passages, which lowers the function words of any language. A term counts where it
    stands in `least` passages of the topic, if any does; with two, no single passage names the whole.
    """
    counts: list[Counter[str]] = [Counter() for _ in range(max(groups) + 1)]
    spread: list[Counter[str]] = [Counter() for _ in counts]
    for words, group in zip(said, groups, strict=True):
        counts[group].update(words)
        spread[group].update(words.keys())
    overall: Counter[str] = Counter()
    passages: Counter[str] = Counter()
    for words, places in zip(counts, spread, strict=True):
        overall.update(words)
        passages.update(places)
    total = max(1, overall.total())
    average = total / len(counts)
    found = []
    for words, places in zip(counts, spread, strict=True):
        own, enough = max(1, words.total()), min(least, max(places.values(), default=1))
        found.append(
            {
                term: count / own * log(1 + average / overall[term]) * log((len(said) + 1) / passages[term])
                for term, count in words.items()
                if places[term] >= enough and (len(counts) == 1 or count / own >= _OWN * overall[term] / total)
            }
        )
    return found


def _labels(weights: Sequence[Mapping[str, float]], shown: Mapping[str, str]) -> list[str]:
    """Return a label for every topic, all different."""
    labels: list[str] = []
    for number, found in enumerate(weights, 1):
        best = sorted(found, key=lambda term: (-found[term], term))
        most = _LABEL_TERMS
        label = ", ".join(_naming(best, shown, most)) or f"topic {number}"
        while label in labels and most < len(best):
            most += 1
            label = ", ".join(_naming(best, shown, most))
        labels.append(label if label not in labels else f"{label} {number}")
    return labels


def _naming(best: Sequence[str], shown: Mapping[str, str], most: int) -> list[str]:
    """Return the first terms that differ in more than their ending; pairs of characters that overlap are joined."""
    found: list[str] = []
    for term in best:
        if UNSPACED.match(term):
            after = next((i for i, name in enumerate(found) if name[-1] == term[0]), None)
            before = next((i for i, name in enumerate(found) if name[0] == term[-1]), None)
            if after is not None:
                found[after] += term[1:]
                continue
            if before is not None:
                found[before] = term[:-1] + found[before]
                continue
        if len(found) == most:
            break
        name = shown.get(term, term)
        if all(name[:_ROOT].casefold() != other[:_ROOT].casefold() for other in found):
            found.append(name)
    return found


def _shown(chunks: Sequence[Chunk]) -> dict[str, str]:
    """Return the most frequent form of every stem, as it is written within sentences where it is."""
    forms: dict[str, Counter[str]] = {}
    for chunk in chunks:
        for word in chunk.text.split():
            plain = word.strip(".,;:!?()[]{}<>\"'`*_“”‘’«»—–-/|#=")
            found = terms(plain)
            if len(found) == 1 and _names_something(found[0]):
                forms.setdefault(stemmed(found[0]), Counter())[plain] += 1
    return {stem: min(count, key=lambda form: (-count[form], form)) for stem, count in forms.items()}


class _Joining:
    """Gives passages the topic whose terms they hold most of, by the cosine of their counts with its weights."""

    def __init__(self, weights: Sequence[Mapping[str, float]]) -> None:
        self._held: dict[str, list[tuple[int, float]]] = {}
        self._topics = len(weights)
        for group, found in enumerate(weights):
            best = sorted(found, key=lambda term: (-found[term], term))[:_NAMING]
            length = sum(found[term] ** 2 for term in best) ** 0.5
            for term in best:
                self._held.setdefault(term, []).append((group, found[term] / length))

    def group(self, text: str) -> int:
        """Return the number of a text's topic; the first one where nothing speaks for another."""
        scores = [0.0] * self._topics
        for term, count in _said(text).items():
            for group, weight in self._held.get(term, ()):
                scores[group] += weight * count
        return max(range(self._topics), key=lambda group: (scores[group], -group))
