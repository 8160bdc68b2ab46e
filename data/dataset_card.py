"""The card of a dataset: what its files hold, for readers and for `datasets.load_dataset`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import get_args

from data.dataset import Dataset
from doceo.core.records import Example, Style
from doceo.text.passages import REFUSAL

_MESSAGES = """  - name: messages
    list:
    - {name: role, dtype: string}
    - {name: content, dtype: string}
"""
_ROWS = f"""- config_name: default
  features:
{_MESSAGES}  - name: metadata
    struct:
    - {{name: id, dtype: string}}
    - {{name: pair_id, dtype: string}}
    - {{name: style, dtype: string}}
    - {{name: chunk_ids, sequence: string}}
"""
_QUESTIONS = f"""- config_name: held_out
  features:
{_MESSAGES}  - name: metadata
    struct:
    - {{name: pair_id, dtype: string}}
    - {{name: style, dtype: string}}
    - {{name: set, dtype: string}}
    - {{name: references, sequence: string}}
    - name: evidence
      list:
      - name: span
        struct:
        - {{name: document_id, dtype: string}}
        - {{name: start, dtype: int64}}
        - {{name: end, dtype: int64}}
      - {{name: quote, dtype: string}}
    - {{name: answerable, dtype: bool}}
    - {{name: kind, dtype: string}}
    - {{name: difficulty, dtype: string}}
    - {{name: topic, dtype: string}}
    - {{name: author, dtype: string}}
"""
"""Types are stated, since a list that is empty in every row of a file has none of its own."""


def dataset_card(dataset: Dataset) -> str:
    """Return the `README.md` of a dataset folder: a Hugging Face dataset card (YAML, then Markdown).

    `load_dataset(FOLDER)` then gives the rows, `load_dataset(FOLDER, "held_out")` the questions.
    """
    sizes = {
        "default": {"train": len(dataset.train), "validation": len(dataset.validation)},
        "held_out": {"taught": len(dataset.taught), "unseen": len(dataset.unseen)},
    }
    return f"---\n{_header(sizes)}---\n\n{_body(dataset, sizes)}"


def _header(sizes: dict[str, dict[str, int]]) -> str:
    # A file without lines cannot be opened as a split, so it is not named.
    filled = {name: [split for split, count in splits.items() if count] for name, splits in sizes.items()}
    configs = [
        f"- config_name: {name}\n  data_files:\n"
        + "".join(f"  - split: {split}\n    path: {split}.jsonl\n" for split in splits)
        for name, splits in filled.items()
        if splits
    ]
    features = [text for name, text in (("default", _ROWS), ("held_out", _QUESTIONS)) if filled[name]]
    listed = f"configs:\n{''.join(configs)}dataset_info:\n{''.join(features)}" if configs else ""
    return f"tags:\n- question-answering\n- synthetic\n{listed}"


def _body(dataset: Dataset, sizes: dict[str, dict[str, int]]) -> str:
    meaning = {
        "train": "rows to train on",
        "validation": "rows of other facts, to see whether training still helps",
        "taught": "facts of the training rows, asked in words that no row contains",
        "unseen": "questions about text that no row contains",
    }
    files = [f"| `{name}.jsonl` | {n:,} | {meaning[name]} |" for splits in sizes.values() for name, n in splits.items()]
    lines = [
        "# Training rows and held-out questions",
        "",
        "| file | lines | what |",
        "|---|---|---|",
        *files,
        "",
        "The last message of a row is what is learned.",
        "",
        "| style of `train` | rows | share |",
        "|---|---|---|",
        *_styles(dataset.train),
        "",
        f"{str(dataset.check)[:1].upper()}{str(dataset.check)[1:]}.",
    ]
    if removed := dataset.check.removed:
        reasons = ", ".join(f"{reason} {count:,}" for reason, count in sorted(removed.items()))
        lines += ["", f"Rows taken out, by what stood in them: {reasons}."]
    return "\n".join(lines) + "\n"


def _styles(rows: Sequence[Example]) -> list[str]:
    styles = Counter(row.style for row in rows)
    refusing = sum(row.style == "open" and row.messages[-1].content == REFUSAL for row in rows)
    counts = [(style, styles[style]) for style in get_args(Style)] + [("of `open`, refusals", refusing)]
    return [f"| {name} | {count:,} | {100 * count / max(len(rows), 1):.1f} % |" for name, count in counts]
