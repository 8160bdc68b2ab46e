"""The conversation that a question belongs to: read before it is asked, and written once it is answered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from doceo.app.host import Host
from doceo.app.store.said import Said, exchange, messages
from doceo.core.access import Caller
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
        kept = host.store.conversations
        kept.get(caller.owner, name)
        return cls(name, messages(kept.turns(caller.owner, name)))

    def keep(
        self, host: Host, caller: Caller, question: str, answer: Answer, about: str, files: Mapping[str, str]
    ) -> str:
        """Write down a question and its answer, with the ids of the files that it cites by their names.

        Returns the conversation's id. Raises StorageError, InputError.
        """
        kept, said = host.store.conversations, [*map(Said, self.unkept), *exchange(question, answer, files)]
        if self.id == NEW:
            return kept.start(caller.owner, about, said=said, ordered=True).id
        kept.add(caller.owner, self.id, said)
        return self.id
