"""Which part of a conversation is learned: the assistant's turns as the model itself would have to write them.

A turn's learned part is what stands behind the prompt as the model is given it when it answers, up to and with the
mark that ends the turn. It is found by rendering the conversation up to the turn with and without it, which works for
any chat template; for the templates for which TRL has training templates, the result equals TRL's masks.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from doceo.core.errors import TrainingError
from doceo.core.records import Message
from doceo.providers.chat_turns import end_of_turn, render

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

IGNORED = -100
"""The label of a token that is read but not learned (PyTorch's convention)."""
_OPENED = re.compile(r"<(think|thinking|reasoning)>\s*\Z")
_CLOSED = re.compile(r"</(?:think|thinking|reasoning)>")


class Encoded(NamedTuple):
    """One row: token ids, and labels of the same length, `IGNORED` where nothing is learned.

    `rejected` is another answer in place of the learned one, where the row says which of two is preferred.
    """

    input_ids: list[int]
    labels: list[int]
    rejected: Sequence[int] = ()

    @property
    def prompt(self) -> int:
        """Tokens before the first that is learned."""
        return next((n for n, label in enumerate(self.labels) if label != IGNORED), len(self.labels))

    @property
    def length(self) -> int:
        """Tokens of the sequence that is read, of two the longer."""
        return max(len(self.input_ids), self.prompt + len(self.rejected)) if self.rejected else len(self.input_ids)

    @property
    def tokens(self) -> int:
        """Tokens that are read, of both sequences where there are two."""
        return len(self.input_ids) + (self.prompt + len(self.rejected) if self.rejected else 0)


class Part(NamedTuple):
    """A piece of a rendered conversation."""

    text: str
    learned: bool


class Masks:
    """Encodes conversations for one tokenizer.

    Args:
        tokenizer: With a chat template and an end-of-sequence token.
    """

    def __init__(self, tokenizer: PreTrainedTokenizerBase) -> None:
        self._tokenizer = tokenizer
        self.end = end_of_turn(tokenizer) or str(tokenizer.eos_token)
        """The mark behind every learned turn, at which answering stops."""
        self._ends = {self.end, str(tokenizer.eos_token)}

    def encode(self, messages: Sequence[Message], learned: Sequence[int]) -> list[Encoded]:
        """Return a conversation's rows: one, or one for each learned turn where the template asks for it.

        A template that writes earlier turns otherwise once they are answered (without their reasoning, say), or ends
        them by nothing, has no single text in which every turn stands as the model will see it.

        Args:
            messages: The conversation.
            learned: Places of the turns to learn, ascending, at least one.

        Raises:
            jinja2.TemplateError: The template refuses the conversation.
            TrainingError: The template leaves out what the assistant says.
        """
        turns = [message.model_dump() for message in messages]
        answers = [(place, *self._answer(turns[: place + 1])) for place in learned]
        whole = answers[-1][-1]
        parts: list[Part] = []
        at = 0
        for place, prompt, answer, _ in answers:
            fits = whole.startswith(prompt + answer) and len(prompt) >= at
            if len(answers) > 1 and not (fits and (place == learned[-1] or self._ended(answer))):
                return [self._ids([Part(p, False), Part(a, True)]) for _, p, a, _ in answers]
            parts += [Part(prompt[at:], False), Part(answer, True)]
            at = len(prompt) + len(answer)
        return [self._ids(parts)]

    def _answer(self, turns: list[dict[str, str]]) -> tuple[str, str, str]:
        """Return the prompt of the last turn, what the model has to write after it, end mark included, and the whole.

        Where the template writes no end mark, none is there: `_ids` adds it.
        """
        prompt = render(self._tokenizer, turns[:-1], answering=True)
        whole = render(self._tokenizer, turns)
        content = turns[-1]["content"].strip()
        if _CLOSED.split(content)[-1].strip() not in whole:
            raise TrainingError(
                "The base model's chat template leaves out what the assistant says.",
                hint="It may be made for images or tools; choose a base for text.",
            )
        if whole.startswith(prompt):
            return prompt, self._cut(whole[len(prompt) :], content), whole
        # Some templates render the prompt otherwise once it is answered; what the model will be given counts.
        return prompt, _after(prompt, whole, content), whole

    def _cut(self, text: str, content: str) -> str:
        """Return a turn up to its end mark: some templates write more behind it, which no answer has to hold."""
        said = text.find(content) + len(content) if content in text else 0
        at = text.find(self.end, said)
        return text[: at + len(self.end)] if at >= 0 else text.rstrip()

    def _ended(self, answer: str) -> bool:
        return answer.endswith(tuple(self._ends))

    def _ids(self, parts: list[Part]) -> Encoded:
        """Return the tokens and labels of parts, an end mark added where the last one has none.

        The text is tokenized as a whole where every prompt's tokens begin the whole's, as they do when it is asked
        for an answer: some tokenizers put a space before every text. Otherwise parts are tokenized one by one.
        """
        ids, labels, _ = self._whole(parts) or self._joined(parts)
        if not self._ended(parts[-1].text):
            end = int(self._tokenizer.convert_tokens_to_ids(self.end))
            ids, labels = [*ids, end], [*labels, end]
        return Encoded(ids, labels)

    def _whole(self, parts: list[Part]) -> Encoded | None:
        ids = self._tokens("".join(part.text for part in parts))
        labels = list(ids)
        text, begun = "", 0
        for part in parts[:-1]:
            text += part.text
            head = self._tokens(text)
            if ids[: len(head)] != head:
                return None
            if not part.learned:
                labels[begun : len(head)] = [IGNORED] * (len(head) - begun)
            begun = len(head)
        return Encoded(ids, labels)

    def _joined(self, parts: list[Part]) -> Encoded:
        ids: list[int] = []
        labels: list[int] = []
        for part in parts:
            found = self._tokens(part.text)
            ids += found
            labels += found if part.learned else [IGNORED] * len(found)
        return Encoded(ids, labels)

    def _tokens(self, text: str) -> list[int]:
        ids: list[int] = self._tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"]
        return ids


def _after(prompt: str, whole: str, content: str) -> str:
    """Return an answer for a prompt that does not begin the whole conversation.

    A prompt that opens the model's reasoning has it closed; white space before the answer is the template's.
    """
    opened = _OPENED.search(prompt)
    if opened and f"</{opened[1]}>" in content:
        return content.removeprefix(f"<{opened[1]}>").lstrip("\n")
    if opened:
        return f"\n</{opened[1]}>\n\n{content}"
    before = whole[: max(0, whole.rfind(content))]
    space = before[len(before.rstrip()) :]
    return content if prompt.endswith(space) else space + content
