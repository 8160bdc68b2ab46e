"""A conversation as it goes on: its turns, what of them is kept, and what is known of who asks.

Nothing is written before the user wants it: the database is made when a conversation is to be kept, or the profile is
switched on or edited.
"""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from doceo.core.protocols import Answerer
from doceo.core.records import Answer, Citation, Message, ProfileEntry, Turn
from rag.profile import Proposer, is_private
from rag.profile_rules import says_nothing_else

if TYPE_CHECKING:
    from doceo.app.store import Store
    from doceo.app.store.conversations import Conversation
    from doceo.app.store.said import Said

NOTED = "Noted."
NOT_NOTED = "Not noted: a profile keeps no passwords, numbers of cards, or addresses."


class Talk:
    """One user's conversation with an answerer.

    Args:
        answerer: Who answers.
        database_url: Where things are kept, as `doceo.app.store.open_store` takes it.
        owner: Whose conversations and profile these are.
        about: What is talked over, such as a run, for the list of conversations.
        profile: Whether the profile is used even where its owner has not switched it on.
        proposer: Finds entries for the profile in what is said.

    Attributes:
        keeping: Whether the conversation is kept.
        kept: The kept conversation; None before its first turn.
        last: The last answer that was given from documents.
        unkept: What was said and is not kept.
    """

    kept: Conversation | None

    def __init__(
        self,
        answerer: Answerer,
        database_url: str = "",
        *,
        owner: str = "local",
        about: str = "",
        profile: bool = False,
        proposer: Proposer | None = None,
    ) -> None:
        self.answerer, self.about = answerer, about
        self.last: Answer | None = None
        self.keeping, self.kept = False, None
        self._url, self.owner, self._profile = database_url, owner, profile
        self._proposer = proposer or Proposer()
        self._history: list[Message] = []
        self.unkept: list[Said] = []
        self._summaries: dict[str, str] = {}

    @property
    def history(self) -> list[Message]:
        """The turns that the next question is asked with; answerers keep refusals from the model."""
        return list(self._history)

    @cached_property
    def store(self) -> Store:
        """The store, made where there is none. Raises StorageError, ConfigError, MissingExtra."""
        from doceo.app.store import open_store

        return open_store(self._url)

    @property
    def has_store(self) -> bool:
        """Whether there is a store already, so that looking into it makes nothing."""
        from doceo.app.store.places import exists

        return "store" in self.__dict__ or exists(self._url)

    @property
    def place(self) -> str:
        """Where things are kept, or would be, without a password."""
        from doceo.app.store.places import shown

        return shown(self._url)

    # -- asking --

    def ask(self, question: str) -> Iterator[str | Citation | Answer]:
        """Yield an answer piece by piece, at the end the whole Answer; then it is a turn of the conversation.

        What only tells something for the profile is noted and not searched for. Raises ProviderError, StorageError
        where the turn cannot be kept.
        """
        if self.profile_on and says_nothing_else(question):
            said = NOT_NOTED if is_private(question) else NOTED
            yield said
            yield Answer(text=said)
            self._remember(question, Answer(text=said))
            return
        for piece in self.answerer.stream(question, self._history, self.profile()):
            yield piece
            if isinstance(piece, Answer):
                self._remember(question, piece)

    def _remember(self, question: str, answer: Answer) -> None:
        from doceo.app.store.said import exchange

        if answer.citations or answer.hits:
            self.last = answer
        said = exchange(question, answer)
        self._history += [one.message for one in said]
        self.unkept += said
        if self.keeping:
            self._write()

    def _write(self) -> None:
        """Put the turns that are not yet kept into the store. Raises StorageError."""
        if self.unkept:
            if self.kept is None:
                self.kept = self.store.conversations.start(self.owner, self.about)
                self.summaries().update(self._summaries)
            self.store.conversations.add(self.owner, self.kept.id, self.unkept)
            self.unkept = []

    # -- conversations --

    def new(self) -> None:
        """Begin another conversation; it is kept if this one is."""
        self._history, self.unkept, self.last, self.kept = [], [], None, None
        self._summaries = {}

    def keep(self) -> None:
        """Keep this conversation from now on, its turns until now included. Raises as `store`.

        A file is made with the first turn; a server, and an address that is none, are tried at once.
        """
        if self.has_store:
            _ = self.store
        self._write()
        self.keeping = True

    def conversations(self) -> list[Conversation]:
        """Return the kept conversations, the latest first. Raises StorageError."""
        return self.store.conversations.all(self.owner) if self.has_store else []

    def resume(self, beginning: str) -> list[Turn]:
        """Go on with a kept conversation and return its turns. Raises InputError, StorageError."""
        from doceo.app.store.said import messages, missing

        if not self.has_store:
            raise missing(beginning)
        found = self.store.conversations.find(self.owner, beginning)
        turns = self.store.conversations.turns(self.owner, found.id)
        self._history, self.unkept, self.keeping, self.kept = messages(turns), [], True, found
        self.last = next((turn.answer for turn in reversed(turns) if turn.answer and turn.answer.hits), None)
        return turns

    def forget(self, beginning: str = "") -> tuple[int, int]:
        """Delete a kept conversation, this one where none is named, and what was taken from it into the profile.

        Returns how many conversations and how many entries are gone. Raises InputError, StorageError.
        """
        before = len(self.profile_entries())
        gone = 0
        if beginning:
            gone = int(self._delete(self.find(beginning).id))
        elif self.kept is not None:
            gone = int(self._delete(self.kept.id))
        else:
            self.new()
        return gone, before - len(self.profile_entries())

    def forget_all(self) -> tuple[int, int]:
        """Delete every kept conversation as `forget` does. Raises StorageError."""
        if not self.has_store:
            return 0, 0
        before = len(self.profile_entries())
        gone = self.store.conversations.delete_all(self.owner)
        self.new()
        return gone, before - len(self.profile_entries())

    def summaries(self) -> MutableMapping[str, str]:
        """Return where summaries of this conversation belong: to it where it is kept, else in memory.

        Raises StorageError.
        """
        return self._summaries if self.kept is None else self.store.conversations.summaries(self.owner, self.kept.id)

    def find(self, beginning: str) -> Conversation:
        """Return the kept conversation whose id begins so. Raises InputError, StorageError."""
        from doceo.app.store.said import missing

        if not self.has_store:
            raise missing(beginning)
        return self.store.conversations.find(self.owner, beginning)

    def _delete(self, conversation: str) -> bool:
        gone = self.store.conversations.delete(self.owner, conversation)
        if self.kept is not None and conversation == self.kept.id:
            self.new()
        return gone

    # -- profile --

    @property
    def profile_on(self) -> bool:
        """Whether answers use the profile and what is said may be noted in it. Raises StorageError."""
        return self._profile or (self.has_store and self.store.profiles.enabled(self.owner))

    def switch_profile(self, *, on: bool) -> None:
        """Switch the profile on or off for good; its entries stay. Raises StorageError."""
        self._profile = self._profile and on
        if on or self.has_store:
            self.store.profiles.enable(self.owner, enabled=on)

    def profile_entries(self) -> list[ProfileEntry]:
        """Return the entries of the profile, whether it is on or off. Raises StorageError."""
        return self.store.profiles.entries(self.owner) if self.has_store else []

    def profile(self) -> list[ProfileEntry]:
        """Return what answers are given: the entries where the profile is on, else none. Raises StorageError."""
        return self.profile_entries() if self.profile_on else []

    def note(self, message: str) -> list[ProfileEntry]:
        """Put what a message says of its writer into the profile, where that is on, and return what is new.

        Raises StorageError, InputError where the profile is full.
        """
        if not self.profile_on:
            return []
        known = self.profile_entries()
        proposed = self._proposer.propose(message, known)
        source = self._turn_of(message) if proposed else ""
        profiles = self.store.profiles
        return [profiles.add(self.owner, one.kind, one.text, days=one.days, source=source) for one in proposed]

    def _turn_of(self, message: str) -> str:
        """Return the id of the kept turn in which something was said, or nothing."""
        if self.kept is None:
            return ""
        turns: Sequence[Turn] = self.store.conversations.turns(self.owner, self.kept.id)
        return next((turn.id for turn in reversed(turns) if turn.message.content == message), "")
