"""The conversation that a question belongs to: read before it is asked, and written once it is answered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from doceo.app.host import Host
from doceo.app.store.said import Said, exchange, messages
from doceo.core.access import Caller
from doceo.core.errors import InputError, NotFound
from doceo.core.records import Answer, Message

NEW = "new"


@dataclass(frozen=True)
class KeptTalk:
    """A conversation of a caller's.

    Attributes:
        id: Its id; `new` until it is begun.
        history: What was said in it.
        unkept: Of that, what is to be written down with the first answer.
    """

    id: str
    history: Sequence[Message]
    unkept: Sequence[Message] = ()

    @classmethod
    def opened(cls, host: Host, caller: Caller, name: str, given: Sequence[Message]) -> KeptTalk:
        """Return a conversation by its id, or a new one that begins with the given turns.

        Of a kept one the given turns count for nothing. Raises NotFound, StorageError.
        """
        if name == NEW:
            return cls(NEW, given, given)
        try:
            found = host.store.conversations.find(caller.owner, name)
        except InputError as error:
            raise _missing(name) from error
        if found.id != name:  # `find` takes the beginning of an id too
            raise _missing(name)
        return cls(name, messages(host.store.conversations.turns(caller.owner, name)))

    def keep(self, host: Host, caller: Caller, question: str, answer: Answer, about: str) -> str:
        """Write down a question and its answer, and return the conversation's id. Raises StorageError, InputError."""
        kept = host.store.conversations
        name = kept.start(caller.owner, about).id if self.id == NEW else self.id
        kept.add(caller.owner, name, [*map(Said, self.unkept), *exchange(question, answer)])
        return name


def _missing(name: str) -> NotFound:
    return NotFound(f"There is no conversation {name[:80]!r}.", hint="/v1/conversations makes one, or `new`.")
