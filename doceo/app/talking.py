"""Opens a conversation as a command's options say."""

from __future__ import annotations

from doceo.app.assistant import assistant
from doceo.app.runs import DEFAULT_COLLECTION
from doceo.app.settings import Settings
from doceo.app.talk import Talk
from doceo.app.talk_summaries import CurrentSummaries
from doceo.core.protocols import Answerer, Progress, Provider
from doceo.providers.chat import is_remote
from rag.answerer import ModelAnswerer
from rag.profile import Proposer


def open_talk(
    settings: Settings, progress: Progress, *, run: str = "", collection: str = "", no_documents: bool = False
) -> Talk:
    """Return a conversation with whoever the options name. Raises as `doceo.app.assistant.assistant`."""
    summaries = CurrentSummaries()
    answerer = assistant(
        settings, progress, run=run, collection=collection, no_documents=no_documents, summaries=summaries
    )
    documents = f"run {run}" if run else f"collection {collection or DEFAULT_COLLECTION}"
    talk = Talk(
        answerer,
        settings.database_url,
        about="no documents" if no_documents else documents,
        profile=settings.answer.profile,
        proposer=Proposer(_reader(settings, answerer)),
    )
    summaries.follow(talk.summaries)
    return talk


def _reader(settings: Settings, answerer: Answerer) -> Provider | None:
    """Return the model that finds profile entries in what is said: the one that answers, if it is on a server."""
    return answerer.provider if isinstance(answerer, ModelAnswerer) and is_remote(settings.model) else None
