"""GGUF files: positions, tokenizers, what cannot be written; llama.cpp is the judge."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import trl
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tokenizers.processors import TemplateProcessing
from transformers import Qwen2Config

from doceo.app.exporting import export_model
from doceo.core.config import ExportConfig
from doceo.core.errors import ExportFailed
from doceo.core.progress import Silent
from finetune.export.gguf_parameters import not_expressible
from finetune.export.gguf_tokenizer import split_name
from finetune.export.gguf_writer import check_writable, write_gguf
from finetune.export.measured import Scored, TorchModel, Written
from finetune.export.parity import EXACT, MERGED, TOLERANCES, Tolerance, compare
from finetune.export.reference import Case, Reference
from tests.finetune.tiny_models import tiny_model, tiny_tokenizer

pytest.importorskip("gguf")
pytest.importorskip("xllamacpp")
from finetune.export.llama_measured import LlamaModel

SHIPPED = Path(trl.__file__).parent / "chat_templates"
SCALINGS: dict[str, dict[str, object]] = {
    "default": {"rope_type": "default", "rope_theta": 500.0},
    "linear": {"rope_type": "linear", "factor": 4.0, "rope_theta": 10000.0},
    "llama3": {
        "rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
        "original_max_position_embeddings": 64, "rope_theta": 10000.0,
    },
    "yarn": {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 128, "rope_theta": 10000.0},
}  # fmt: skip


def written(folder: Path, family: str, split: str = "smollm", **more: object) -> tuple[TorchModel, LlamaModel]:
    """Return a tiny model in both programs."""
    tokenizer = tiny_tokenizer(split)
    model = tiny_model(family, tokenizer, **more)
    write_gguf(model, tokenizer, folder / "m.gguf", kind="f32", context=512, ends=[2], name="m")
    return TorchModel(model, tokenizer), LlamaModel(folder / "m.gguf", 512)


@pytest.mark.parametrize(
    ("family", "scaling"), [("llama", name) for name in SCALINGS] + [("qwen3", "default"), ("qwen2", "yarn")]
)
def test_positions_are_those_of_transformers(family: str, scaling: str, tmp_path: Path) -> None:
    reference, candidate = written(tmp_path, family, rope_parameters=SCALINGS[scaling])
    ids = [(7 * n) % 400 + 4 for n in range(200)]
    with candidate:
        found, expected = candidate.score(ids), reference.score(ids)
    assert found.losses == pytest.approx(expected.losses, abs=2e-3)
    same = [a == b for a, b, margin in zip(found.best, expected.best, expected.margins, strict=True) if margin > 1e-3]
    assert all(same)


def test_biases_and_heads_of_their_own_size(tmp_path: Path) -> None:
    more: dict[str, object] = {"attention_bias": True, "mlp_bias": True, "head_dim": 32, "tie_word_embeddings": False}
    reference, candidate = written(tmp_path, "llama", **more)
    ids = list(range(4, 60))
    with candidate:
        assert candidate.score(ids).losses == pytest.approx(reference.score(ids).losses, abs=2e-3)


@pytest.mark.parametrize("split", ["smollm", "qwen2", "llama-bpe"])
def test_text_becomes_the_same_tokens(split: str, tmp_path: Path) -> None:
    reference, candidate = written(tmp_path, "llama", split)
    assert split_name(reference.tokenizer) == split

    @settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\0", max_codepoint=0xFFFF), max_size=40))
    def equal(text: str) -> None:
        ours: list[int] = reference.tokenizer(text, add_special_tokens=False)["input_ids"]
        assert candidate._server.tokens(text) == ours

    with candidate:
        for text in (
            "I'll  go 12345 m\n\n\n x",
            "<|im_start|>user\nhi<|im_end|>",
            "naïve Ünï 日本語 🙂\t.",
            "a\r\n b  ",
        ):
            ours: list[int] = reference.tokenizer(text, add_special_tokens=False)["input_ids"]
            assert candidate._server.tokens(text) == ours
        equal()


def test_marks_of_ones_own_and_a_beginning_that_is_added(tmp_path: Path) -> None:
    tokenizer = tiny_tokenizer("llama-bpe")
    tokenizer.add_tokens(["<think>", "</think>"])
    tokenizer.backend_tokenizer.post_processor = TemplateProcessing(
        single="<|endoftext|> $A", special_tokens=[("<|endoftext|>", 0)]
    )
    tokenizer.chat_template = (SHIPPED / "llama3.jinja").read_text(encoding="utf-8")
    tiny_model("llama", tokenizer).save_pretrained(tmp_path / "m")
    tokenizer.save_pretrained(tmp_path / "m")
    assert tokenizer("x")["input_ids"][0] == 0
    # the template writes the beginning itself, and llama.cpp and Ollama add it: it must not come twice
    config = ExportConfig(quantize="f32", positions=120, answer_tokens=4)
    made = export_model(str(tmp_path / "m"), "ollama", tmp_path / "x", config, Silent())
    assert made.parity.passed is True
    assert "white space" in made.parity.note
    text = "<|endoftext|><think> a </think>b<|im_end|>"
    with LlamaModel(tmp_path / "x" / "x-f32.gguf", 512) as candidate:
        found = candidate._server.tokens(text)
    assert found == tokenizer(text, add_special_tokens=False)["input_ids"]
    assert found.count(0) == 1


def test_a_token_that_begins_a_character_is_scored(tmp_path: Path) -> None:
    reference, candidate = written(tmp_path, "llama")
    ids: list[int] = reference.tokenizer("x🙂日", add_special_tokens=False)["input_ids"]
    assert len(ids) > 5
    with candidate:
        assert candidate.score(ids).losses == pytest.approx(reference.score(ids).losses, abs=1e-3)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"use_sliding_window": True, "sliding_window": 8, "max_window_layers": 0}, "sliding window"),
        ({"hidden_act": "gelu"}, "gelu"),
        ({"rope_parameters": {"rope_type": "dynamic", "factor": 2.0, "rope_theta": 1e4}}, "dynamic"),
        ({"rope_parameters": SCALINGS["llama3"]}, "llama3"),
    ],
)
def test_what_a_file_cannot_say_is_refused(more: dict[str, Any], words: str) -> None:
    assert words in not_expressible(Qwen2Config(**more))
    assert not_expressible(Qwen2Config()) == ""


def test_a_tokenizer_of_another_kind_is_refused() -> None:
    tokenizer = tiny_tokenizer()
    model = tiny_model("llama", tokenizer)
    from tokenizers import pre_tokenizers

    tokenizer.backend_tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    assert split_name(tokenizer) is None
    with pytest.raises(ExportFailed, match="splits text") as caught:
        check_writable(model, tokenizer, "CONVERT")
    assert "CONVERT" in caught.value.hint


class Fake:
    """A candidate with known answers."""

    def __init__(self, best: list[int], losses: list[float], answer: list[int], prompt: list[int], stops: bool) -> None:
        self._scored, self._answer, self._prompt, self._stops = Scored(best, losses, []), answer, prompt, stops

    def prompts(self, messages: object) -> list[list[int]]:
        return [[1], self._prompt]

    def score(self, ids: object) -> Scored:
        return self._scored

    def write(self, ids: object, most: int) -> Written:
        return Written(self._answer, [])

    def stops_at(self, token: int) -> bool:
        return self._stops


def judged(
    tolerance: Tolerance,
    *,
    wrong: int = 0,
    rise: float = 0.0,
    answer: tuple[int, ...] = (5, 6, 2),
    prompt: tuple[int, ...] = (1,),
    stops: bool = True,
) -> tuple[bool | None, bool]:
    """Return (passed, warns) of 100 predictions of which some are wrong."""
    best = [9] * 100
    case = Case((), [1], [0] * 101, Scored(best, [2.0] * 100, [1.0] * 100), Written([5, 6, 2], [1.0, 0.0005, 1.0]))
    fake = Fake([8] * wrong + best[wrong:], [2.0 * (1 + rise)] * 100, list(answer), list(prompt), stops)
    made = compare(Reference([case], [2], [2], None), fake, tolerance, Silent())  # type: ignore[arg-type]
    return made.passed, made.warns


def test_what_is_allowed() -> None:
    q8, f16 = TOLERANCES["q8_0"], TOLERANCES["f16"]
    assert judged(EXACT) == (True, False)
    assert judged(EXACT, wrong=1) == (False, False)
    assert judged(MERGED["float16"], wrong=1, rise=0.004) == (True, False)
    assert judged(MERGED["float16"], wrong=2) == (False, False)
    assert judged(f16, wrong=2) == (False, True)
    assert judged(f16, rise=0.006) == (False, True)
    assert judged(q8, wrong=3, rise=0.019) == (True, False)
    assert judged(q8, wrong=4) == (False, True)
    assert judged(q8, rise=0.021) == (False, True)
    # a chance of zero, as llama.cpp reports it, is a large loss and no infinite one
    assert judged(q8, rise=1e38) == (False, False)
    assert judged(q8, wrong=20) == (False, True)
    # beyond what eight bits can do to a model, it is another model
    assert judged(q8, wrong=21) == (False, False)
    assert judged(q8, rise=0.21) == (False, False)
    assert judged(q8, rise=float("nan")) == (False, False)
    # the second token of the answer is a tie: what comes from there on is not compared
    assert judged(EXACT, answer=(5, 7, 7)) == (True, False)
    assert judged(EXACT, answer=(4, 6, 2)) == (False, False)
    # token ids and end marks are no matter of precision
    assert judged(q8, prompt=(1, 1)) == (False, False)
    assert judged(q8, stops=False) == (False, False)
