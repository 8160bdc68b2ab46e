"""What the model answers to a few held-out questions while it is trained."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from transformers import PreTrainedTokenizerBase, TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from data.jsonl import write_jsonl
from doceo.core.protocols import Progress
from finetune.checkpointing import lines_until
from finetune.checks import Row
from finetune.examples import IGNORED, Encoded, encode_rows
from finetune.masks import Masks
from finetune.stopping import Stop

NEW_TOKENS = 48
LOOKED_AT = 50
"""Rows that are looked through for short prompts."""
LAST_WORDS = 40
"""Characters at the end of a prompt by which a question is known again."""
LONGEST_PROMPT = 512
"""Longer prompts are taken only where there are no others: their answers would hold the training up."""
SHOWN = 100
"""Characters of question and answer that the terminal shows."""


class Asked(NamedTuple):
    """A held-out question: its prompt in tokens, and what it should be answered."""

    prompt: list[int]
    question: str
    reference: str


def choose_questions(
    rows: Sequence[Row], tokenizer: PreTrainedTokenizerBase, max_length: int, count: int
) -> list[Asked]:
    """Return the first `count` questions with a short prompt, or those of the first rows with the shortest."""
    found: list[Asked] = []
    seen: set[str] = set()
    for row in rows[: LOOKED_AT + count] if count else []:
        # Rows with passages ask again, behind them, what others ask without.
        words = row.question[-LAST_WORDS:]
        encoded = encode_rows(tokenizer, [row], max_length).rows if row.messages and words not in seen else []
        seen.add(words)
        found += [_asked(encoded[0], row.question, tokenizer)] if encoded else []
        if sum(len(asked.prompt) <= LONGEST_PROMPT for asked in found) == count:
            return [asked for asked in found if len(asked.prompt) <= LONGEST_PROMPT]
    return sorted(found, key=lambda asked: len(asked.prompt))[:count]


def _asked(row: Encoded, question: str, tokenizer: PreTrainedTokenizerBase) -> Asked:
    """Return the first question of a row: what is read up to the first learned token, which is answered."""
    start = next(n for n, label in enumerate(row.labels) if label != IGNORED)
    end = next((n for n in range(start, len(row.labels)) if row.labels[n] == IGNORED), len(row.labels))
    reference = tokenizer.decode(row.input_ids[start:end], skip_special_tokens=True)
    return Asked(row.input_ids[:start], question.strip(), str(reference).strip())


class Samples(TrainerCallback):
    """Writes `samples.jsonl`, an answer a line for each question and evaluation, and shows them.

    Answers are greedy: they use no random numbers, so that training is the same with and without them. A signal ends
    them; they are given again when the training goes on.
    """

    def __init__(
        self,
        path: Path,
        asked: Sequence[Asked],
        tokenizer: Any,  # noqa: ANN401 - transformers ships no types
        progress: Progress,
        stop: Stop,
    ) -> None:
        self.path, self.asked, self.tokenizer, self.progress, self.stop = path, asked, tokenizer, progress, stop
        # A model with a chat template ends its turns by a mark that need not be its end of sequence.
        self.ends = {tokenizer.convert_tokens_to_ids(Masks(tokenizer).end), tokenizer.eos_token_id}
        self.lines: list[dict[str, object]] = []

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **more: object
    ) -> None:
        """Keep the lines up to the checkpoint that training goes on from."""
        self.lines = lines_until(self.path, state.global_step)

    def on_evaluate(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        **more: Any,  # noqa: ANN401 - the trainer passes its objects by name
    ) -> None:
        """Ask the questions."""
        answers = self._answers(more["model"])
        self.stop.check()
        for asked, answer in zip(self.asked, answers, strict=True):
            self.lines.append(
                {
                    "step": state.global_step,
                    "question": asked.question,
                    "reference": asked.reference,
                    "answer": answer,
                }
            )
            self.progress.say(f"step {state.global_step}: {_tail(asked.question)} -> {_head(answer)}")
        write_jsonl(self.path, self.lines)

    def _answers(self, model: Any) -> list[str]:  # noqa: ANN401 - peft ships no types
        import torch
        from transformers import GenerationConfig, StoppingCriteriaList

        width = max(len(asked.prompt) for asked in self.asked)
        pad = self.tokenizer.pad_token_id
        ids = torch.tensor([[pad] * (width - len(asked.prompt)) + asked.prompt for asked in self.asked])
        mask = torch.tensor([[0] * (width - len(a.prompt)) + [1] * len(a.prompt) for a in self.asked])
        ends = model.generation_config.eos_token_id
        ends = {*(ends if isinstance(ends, list) else [ends]), *self.ends} - {None}
        settings = GenerationConfig(
            max_new_tokens=NEW_TOKENS, do_sample=False, eos_token_id=sorted(ends), pad_token_id=pad
        )
        model.eval()
        with torch.no_grad():
            out = model.generate(
                input_ids=ids.to(model.device),
                attention_mask=mask.to(model.device),
                generation_config=settings,
                stopping_criteria=StoppingCriteriaList([self._signalled]),
            )
        texts = self.tokenizer.batch_decode(out[:, width:], skip_special_tokens=True)
        return [" ".join(str(text).split()) for text in texts]

    def _signalled(self, ids: Any, scores: Any, **more: object) -> Any:  # noqa: ANN401 - tensors of transformers
        import torch

        return torch.full((len(ids),), self.stop.leaving, device=ids.device)


def _head(text: str) -> str:
    return text if len(text) <= SHOWN else text[: SHOWN - 3] + "..."


def _tail(text: str) -> str:
    """Return the end of a prompt, where the question stands, on one line."""
    line = " ".join(text.split())
    return line if len(line) <= SHOWN else "..." + line[3 - SHOWN :]
