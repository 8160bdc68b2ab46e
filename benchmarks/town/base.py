"""A small Llama that has read of every district but the planted ones: it knows their people, and nobody else.

Allen-Zhu and Li (part 3.1) found that a model answers questions about people whom it was never asked about only where
biographies and questions were trained together, in several wordings each; so they are here.
"""

from __future__ import annotations

import json
from pathlib import Path
from random import Random

from benchmarks.town.documents import WORDINGS, document, sentence
from benchmarks.town.people import ATTRIBUTES, Person, Town
from benchmarks.town.questions import EXAM, TRAINED, practice
from doceo.app.pretraining import Outcome, Plan, pretrain_text
from doceo.app.settings import load_settings
from doceo.core.progress import Silent
from doceo.pretrain.tokenizer import save_tokenizer, train_tokenizer

VOCABULARY, CONTEXT = 1200, 256
LAYERS, WIDTH = 2, 192
STEPS, BATCH = 700, 2048
BIOGRAPHIES = 3
"""Paragraphs about each known person, each in wordings and an order of its own."""
ASKED = "User: {question}\n\nAnswer: {answer}"
"""How a model without a chat template is asked (`doceo.text.chat_template.PLAIN`)."""
GENERAL = Path(__file__).resolve().parents[2] / "finetune" / "general.txt"
"""Pages of novels, speeches and comments, which fine-tuning measures on what it unlearns."""
_SPLIT = 20
"""Names of nobody in which the tokenizer sees each wording: so a name of the town is split into syllables, known or
not."""


def make_base(town: Town, folder: Path, steps: int = STEPS) -> Outcome:
    """Train the base of a town, or return the one that stands there.

    Args:
        town: Whose planted districts are left out.
        folder: Where the model comes to lie; its texts and its tokenizer stand beside it.
        steps: Optimizer steps.

    Raises StorageError, TrainingError.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    tokenizer = train_tokenizer(_spelling(town), VOCABULARY, CONTEXT)
    # Without a template of its own the model is asked in plain words, which can stand in the texts it reads.
    tokenizer.chat_template = None
    place = folder.with_name("tokenizer")
    save_tokenizer(tokenizer, place)
    texts = folder.with_name("texts.jsonl")
    texts.write_text("".join(json.dumps({"text": text}) + "\n" for text in read_texts(town)), encoding="utf-8")
    shape = folder.with_name("shape.json")
    shape.write_text(json.dumps(base_shape()), encoding="utf-8")
    settings = load_settings(
        {
            "pretrain": {"context": CONTEXT, "max_steps": steps, "batch_tokens": BATCH, "seed": town.seed},
            "training": {
                "optimizer": "muon",
                "window": CONTEXT,
                "held_out_every": 500,
                "evaluations": 1,
                "eval_tokens": 1024,
                "sample_tokens": 0,
            },
        }
    )
    return pretrain_text(Plan((str(texts),), folder, str(place), shape, force=True), settings, Silent())


def read_texts(town: Town) -> list[str]:
    """Return what the base reads: questions, biographies, and some general English, in a random order."""
    luck = Random(f"texts {town.seed}")
    asked = [ASKED.format(question=one.question, answer=one.answer) for p in town.known() for one in practice(town, p)]
    told = [biography(person, luck) for person in town.known() for _ in range(BIOGRAPHIES)]
    texts = [*asked, *told, *general()]
    luck.shuffle(texts)
    return texts


def biography(person: Person, luck: Random) -> str:
    """Return the facts of a person in wordings and an order drawn anew."""
    order = luck.sample(ATTRIBUTES, len(ATTRIBUTES))
    return " ".join(sentence(person, attribute, luck.randrange(len(WORDINGS[attribute]))) for attribute in order)


def general() -> list[str]:
    """Return paragraphs of general English."""
    return [part for part in GENERAL.read_text(encoding="utf-8").split("\n\n") if part.strip()]


def _spelling(town: Town) -> list[str]:
    """Return the texts that the tokenizer learns from."""
    luck = Random(f"spelling {town.seed}")
    forms = [form for table in (TRAINED, EXAM) for group in table.values() for form in group]
    names = [" ".join(luck.sample(town.others, 2)) for _ in range(_SPLIT * _SPLIT)]
    asked = [
        ASKED.format(question=form.format(name=luck.choice(names)), answer=luck.choice(("At", "From")))
        for form in forms
        for _ in range(_SPLIT)
    ]
    return [*general(), *asked, *names, *(document(town, ward) for ward in town.districts if ward not in town.planted)]


def base_shape() -> dict[str, object]:
    """Return the base's architecture, as a `config.json` gives it."""
    return {
        "model_type": "llama",
        "hidden_size": WIDTH,
        "intermediate_size": WIDTH * 8 // 3,
        "num_hidden_layers": LAYERS,
        "num_attention_heads": WIDTH // 64,
        "num_key_value_heads": WIDTH // 64,
        "max_position_embeddings": CONTEXT,
        "rope_theta": 10000.0,
        "tie_word_embeddings": True,
    }
