"""From what was read to what pairs are made from: topics, boilerplate, what may be sent, what can be read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from data.boilerplate import boilerplate
from doceo.app.models import EXTRACTIVE
from doceo.app.settings import Settings
from doceo.app.stages.documents import Ingested
from doceo.core.protocols import Progress
from generator.corpus import Corpus, Embed

LEAST_FOR_TOPICS = 16
"""Chunks below which grouping them says nothing; headings are the topics then."""


def corpus_of(
    ingested: Ingested, unseen: frozenset[str], settings: Settings, embed: Embed, progress: Progress, *, remote: bool
) -> Corpus:
    """Return the corpus of a run.

    Args:
        ingested: Its documents and chunks.
        unseen: Ids of the chunks that are kept out of training.
        settings: The command's settings.
        embed: Embeds passages, for the topics.
        progress: Where to say what is left out.
        remote: Whether a model on another machine will read passages.
    """
    left_out = boilerplate(ingested.documents, ingested.chunks)
    if left_out:
        progress.say(f"{len(left_out)} passages repeat page furniture; nothing is asked about them.")
    foreign = frozenset(unread(ingested, settings))
    if foreign:
        progress.say(cannot_read(ingested, settings))
    local = frozenset(d.id for d in ingested.documents if d.metadata.get("local") == "true") if remote else frozenset()
    if local:
        progress.say(f"{len(local)} local documents are not sent; the built-in teacher reads them.")
    skipped = left_out | {chunk.id for chunk in ingested.chunks if chunk.document_id in foreign}
    return Corpus(
        documents=ingested.documents,
        chunks=ingested.chunks,
        unseen=unseen,
        left_out=skipped,
        local=local,
        topics=_topics(ingested, settings, embed),
    )


def unread(ingested: Ingested, settings: Settings) -> dict[str, str]:
    """Return the language of every document that the built-in teacher cannot read, by id; none for a chat model."""
    if settings.teacher != EXTRACTIVE:
        return {}
    from generator.teachers.extractive import supports

    languages = ((document.id, document.metadata.get("language", "")) for document in ingested.documents)
    return {document_id: language for document_id, language in languages if not supports(language)}


def cannot_read(ingested: Ingested, settings: Settings) -> str:
    """Say how many documents the built-in teacher cannot read, or nothing."""
    found = unread(ingested, settings)
    if not found:
        return ""
    counts = ", ".join(f"{n} in {language!r}" for language, n in Counter(found.values()).most_common())
    return (
        f"The built-in teacher reads English only and asks nothing of {len(found)} of {len(ingested.documents)} "
        f"documents ({counts}). A chat model reads them: --teacher openai:MODEL or ollama:MODEL."
    )


def _topics(ingested: Ingested, settings: Settings, embed: Embed) -> Mapping[str, str]:
    wanted = settings.generate.topics
    if wanted == 0 or (wanted is None and len(ingested.chunks) < LEAST_FOR_TOPICS):
        return {}
    from generator.topics import topics_of

    return topics_of(ingested.chunks, embed, wanted, settings.generate.seed).labels
