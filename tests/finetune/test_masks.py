"""Every assistant's words and their end are learned, and nothing else, whatever the chat template is like."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers.processors import TemplateProcessing
from transformers import PreTrainedTokenizerFast
from trl.chat_template_utils import get_training_chat_template

from doceo.core.errors import TrainingError
from doceo.core.records import Message
from doceo.providers.chat_turns import end_of_turn, render, takes_system, with_system_merged
from finetune.examples import encode, marked
from finetune.masks import IGNORED, Encoded, Masks

from .chat_templates import FAMILIES, FOLDER, tokenizer_for

TOKENIZERS = {name: tokenizer_for(family.template) for name, family in FAMILIES.items()}
_WORDS = st.text(st.characters(codec="utf-8", exclude_characters="<>[]|｜\x00", exclude_categories=["Cs"]), min_size=1)
_SAID = _WORDS.map(str.strip).filter(bool)


def _turns(*said: str, system: str = "") -> list[Message]:
    first = [Message(role="system", content=system)] if system else []
    return [*first, *(Message(role="assistant" if n % 2 else "user", content=s) for n, s in enumerate(said))]


def _learned(tokenizer: PreTrainedTokenizerFast, rows: list[Encoded]) -> list[str]:
    """Return the learned runs of all rows as text."""
    found: list[str] = []
    for row in rows:
        run: list[int] = []
        for label in [*row.labels, IGNORED]:
            if label != IGNORED:
                run.append(label)
            elif run:
                found.append(tokenizer.decode(run))
                run = []
    return found


def _places(messages: list[Message]) -> list[int]:
    return [n for n, message in enumerate(messages) if message.role == "assistant"]


@pytest.mark.parametrize("name", FAMILIES)
@settings(max_examples=15, deadline=None, derandomize=True)
@given(
    pairs=st.lists(st.tuples(_SAID, _SAID), min_size=1, max_size=4),
    system=st.one_of(st.just(""), _SAID),
)
def test_what_is_learned_is_the_assistants_words(name: str, pairs: list[tuple[str, str]], system: str) -> None:
    family, tokenizer = FAMILIES[name], TOKENIZERS[name]
    messages = _turns(*(said for pair in pairs for said in pair), system=system)
    rows = Masks(tokenizer).encode(messages, _places(messages))
    assert _learned(tokenizer, rows) == [f"{family.before}{answer}{family.end}" for _, answer in pairs]
    for row in rows:
        assert len(row.input_ids) == len(row.labels)
        assert all(label in (IGNORED, token) for token, label in zip(row.input_ids, row.labels, strict=True))


@pytest.mark.parametrize("name", FAMILIES)
def test_every_answer_follows_the_prompt_that_is_given_for_it(name: str) -> None:
    """The tokens before a learned part are the very prompt that the model gets when it is asked."""
    tokenizer = TOKENIZERS[name]
    messages = _turns("Who wrote it?", "Nobody.", "And the first?", "Ada, in 1843.", system="Be brief.")
    rows = Masks(tokenizer).encode(messages, _places(messages))
    starts = [(row, n) for row in rows for n in _starts(row)]
    assert len(starts) == 2
    for place, (row, start) in zip(_places(messages), starts, strict=True):
        prompt = render(tokenizer, [m.model_dump() for m in messages[:place]], answering=True)
        assert row.input_ids[:start] == tokenizer(prompt, add_special_tokens=False)["input_ids"]


def _starts(row: Encoded) -> list[int]:
    return [n for n in range(1, len(row.labels)) if row.labels[n] != IGNORED and row.labels[n - 1] == IGNORED]


_NO_MASK = ("idefics3", "smolvlm", "llava_next")
"""Templates for images, which write nothing of a plain text."""
_OTHER_MASK = {
    "cohere2": "the mask goes on after the end of the answer",
    "qwen2_5": "the mask begins at the line end before the answer",
    "deepseek_r1_distill": "the mask holds the assistant's header, and the prompt's opened reasoning is not there",
    "deepseekv3": "as above",
    "gptoss": "the mask holds the assistant's header, and an earlier answer ends otherwise than when it was written",
    "muse_glimmer": "the mask holds the assistant's header",
    "glm4moe": "the answer ends with the header of the user",
    "nemotron_3_nano": "the prompt opens the reasoning on a line of its own",
    "nemotron_3_super": "as above",
    "nemotron_3_ultra": "as above",
    "nemotron_3_5_lightning": "as above",
    "qwen3_5_nothink": "TRL's template writes reasoning that the model's own does not",
    "qwen3_5_think": "the prompt opens the reasoning, so that its opening is not to be learned",
    "qwen3_6": "as above",
    "qwen3_8": "as above",
}
"""Templates for which TRL trains on something else than what the model has to write after its prompt, and why."""


_SAME_MASK = sorted(
    {path.stem.removesuffix("_training") for path in FOLDER.glob("*_training.jinja")} - {*_NO_MASK, *_OTHER_MASK}
)


@pytest.mark.parametrize("name", _SAME_MASK)
def test_masks_equal_those_of_trls_training_templates(name: str) -> None:
    tokenizer = tokenizer_for((FOLDER / f"{name}.jinja").read_text(encoding="utf-8"))
    messages = _turns("Who wrote it?", "Nobody.", "And the first?", "Ada, in 1843.", system="Be brief.")
    ours = _learned(tokenizer, Masks(tokenizer).encode(messages, _places(messages)))
    turns = [m.model_dump() for m in messages]
    rendered = tokenizer.apply_chat_template(
        turns if takes_system(tokenizer) else with_system_merged(turns),
        chat_template=get_training_chat_template(tokenizer) or tokenizer.chat_template,
        return_dict=True,
        return_assistant_tokens_mask=True,
    )
    masked = [t if m else IGNORED for t, m in zip(rendered["input_ids"], rendered["assistant_masks"], strict=True)]
    theirs = _learned(tokenizer, [Encoded(rendered["input_ids"], masked)])
    end = end_of_turn(tokenizer)
    assert ours == [text[: text.index(end) + len(end)] for text in theirs]


def test_our_own_marks_are_what_is_learned() -> None:
    tokenizer = TOKENIZERS["ours"]
    messages = _turns("Who?", "Nobody.", "And then?", "Ada.")
    rendered = tokenizer.apply_chat_template(
        [m.model_dump() for m in messages], return_dict=True, return_assistant_tokens_mask=True
    )
    (row,) = Masks(tokenizer).encode(messages, [1, 3])
    assert row.input_ids == rendered["input_ids"]
    assert [label != IGNORED for label in row.labels] == [bool(mask) for mask in rendered["assistant_masks"]]


def test_turns_that_are_not_to_be_learned_are_only_read() -> None:
    tokenizer = TOKENIZERS["qwen-2.5"]
    messages = _turns("Who?", "Nobody.", "And then?", "Ada.", "Thanks.", "You are welcome.")
    assert _learned(tokenizer, Masks(tokenizer).encode(messages, [3])) == ["Ada.<|im_end|>"]
    (row,) = Masks(tokenizer).encode(messages, [1, 3])
    assert marked(tokenizer, row).count("⟦") == 2
    assert "Thanks" not in marked(tokenizer, row)


def test_reasoning_is_learned_where_it_is_written_and_read_as_the_template_shows_it() -> None:
    tokenizer = TOKENIZERS["qwen-3"]
    first, second = "<think>\nIt is old.\n</think>\n\nNobody.", "<think>\nShe did.\n</think>\n\nAda."
    one, other = Masks(tokenizer).encode(_turns("Who?", first, "And then?", second), [1, 3])
    assert _learned(tokenizer, [one, other]) == [f"{first}<|im_end|>", f"{second}<|im_end|>"]
    assert "It is old" not in tokenizer.decode(other.input_ids)


def test_a_prompt_that_opens_the_reasoning_is_answered_from_within_it() -> None:
    tokenizer = TOKENIZERS["deepseek-r1"]
    rows = Masks(tokenizer).encode(_turns("Who?", "<think>\nShe did.\n</think>\n\nAda."), [1])
    assert _learned(tokenizer, rows) == ["She did.\n</think>\n\nAda.<｜end▁of▁sentence｜>"]


def test_a_tokenizer_that_puts_a_space_before_every_text() -> None:
    tokenizer = tokenizer_for(FAMILIES["mistral-0.1"].template, spaced=True)
    messages = _turns("Who wrote it?", "Ada wrote it.")
    (row,) = Masks(tokenizer).encode(messages, [1])
    whole = render(tokenizer, [m.model_dump() for m in messages])
    assert row.input_ids == tokenizer(whole, add_special_tokens=False)["input_ids"]
    assert _learned(tokenizer, [row]) == ["Ada wrote it.</s>"]


def test_a_tokenizer_and_a_template_that_both_begin_the_text_begin_it_once() -> None:
    tokenizer = tokenizer_for(FAMILIES["llama-3"].template)
    begin = (str(tokenizer.bos_token), int(tokenizer.bos_token_id))
    tokenizer.backend_tokenizer.post_processor = TemplateProcessing(single=f"{begin[0]} $A", special_tokens=[begin])
    assert tokenizer("Who?")["input_ids"][0] == begin[1]
    (row,) = Masks(tokenizer).encode(_turns("Who?", "Ada.", "When?", "1843."), [1, 3])
    assert row.input_ids.count(begin[1]) == 1


def test_an_answer_whose_first_letters_would_join_the_prompts_last() -> None:
    template = (
        "{% for m in messages %}{{ m.role }}:{{ m.content }}</s>{% endfor %}"
        "{% if add_generation_prompt %}assistant:{% endif %}"
    )
    tokenizer = tokenizer_for(template, texts=["user:: assistant:::", ":: ::"])
    assert len(tokenizer("::")["input_ids"]) == 1
    (row,) = Masks(tokenizer).encode(_turns("Who?", ":-)", "Why?", ":)"), [1, 3])
    assert _learned(tokenizer, [row]) == [":-)</s>", ":)</s>"]
    prompt = tokenizer("user:Who?</s>assistant:")["input_ids"]
    assert row.input_ids[: len(prompt)] == prompt


def test_a_system_message_that_a_template_refuses_stands_before_the_first_question() -> None:
    for name, takes in (("gemma", False), ("mistral-0.1", False), ("gemma-3", True), ("llama-3.1", True)):
        assert takes_system(TOKENIZERS[name]) == takes
    text = render(TOKENIZERS["gemma"], [m.model_dump() for m in _turns("Who?", "Ada.", system="Be brief.")])
    assert "<start_of_turn>user\nBe brief.\n\nWho?<end_of_turn>" in text


def test_a_template_that_drops_the_system_message_without_a_word() -> None:
    tokenizer = tokenizer_for(
        "{% for m in messages %}{% if m.role != 'system' %}<|{{ m.role }}|>{{ m.content }}</s>{% endif %}{% endfor %}"
    )
    for question in ("Who?", "What does Be brief. mean?"):
        text = render(tokenizer, [m.model_dump() for m in _turns(question, "Ada.", system="Be brief.")])
        assert f"Be brief.\n\n{question}" in text


def test_a_template_for_images_is_refused() -> None:
    tokenizer = tokenizer_for((FOLDER / "smolvlm.jinja").read_text(encoding="utf-8"))
    with pytest.raises(TrainingError, match="leaves out what the assistant says"):
        encode(tokenizer, _turns("Who?", "Ada."))


def test_the_day_does_not_change_the_rows() -> None:
    tokenizer = TOKENIZERS["llama-3.2"]
    assert "26 Jul 2024" in render(tokenizer, [m.model_dump() for m in _turns("Who?", "Ada.")])


@pytest.mark.parametrize("name", FAMILIES)
def test_the_end_that_is_learned_is_the_one_that_answering_stops_at(name: str) -> None:
    assert end_of_turn(TOKENIZERS[name]) == FAMILIES[name].end.strip()
