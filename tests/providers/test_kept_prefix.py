"""A kept prefix changes how much is read, and not a letter of what is answered."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM, MistralConfig, MistralForCausalLM

from doceo.core.errors import RequestRejected
from doceo.core.records import ChatRequest, Message
from doceo.providers.hf_models import open_tokenizer
from doceo.providers.kept_prefix import KeptPrefix
from doceo.providers.local_hf import LocalModel
from tests.providers.streamed import streamed
from tests.tiny_base import make_base

DOCUMENTS = (
    "[1] Pier\nThe pier was built in 1872 by Edith Marlow. Boats leave at noon, and tickets cost 4 euros.\n\n" * 3
)
QUESTIONS = ["Who built it?", "When do the boats leave?", "What does a ticket cost, and why?", "Who built it?"]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model with random weights: nothing that it says is likely, so that a wrong key or value shows at once."""
    folder = tmp_path_factory.mktemp("kept") / "base"
    make_base([DOCUMENTS + str(n) for n in range(4)], folder, depth=1, vocab_size=320, context=512, max_steps=1)
    torch.manual_seed(0)
    sizes = {"hidden_size": 48, "intermediate_size": 96, "num_hidden_layers": 3, "num_attention_heads": 4}
    tokens = len(open_tokenizer(str(folder)))
    LlamaForCausalLM(
        LlamaConfig(
            vocab_size=tokens, num_key_value_heads=2, max_position_embeddings=512, initializer_range=0.4, **sizes
        )
    ).save_pretrained(folder)
    return folder


def request(question: str, *, documents: str = DOCUMENTS, new: int = 24) -> ChatRequest:
    messages = (Message(role="user", content=f"{documents}Question: {question}"),)
    return ChatRequest(messages=messages, max_tokens=new)


def test_answers_are_the_same_letter_for_letter(base: Path) -> None:
    plain, keeping = LocalModel(base), LocalModel(base)
    keeping.keep_prefix()
    wanted = [plain.complete(request(question)) for question in QUESTIONS]
    found = [keeping.complete(request(question)) for question in QUESTIONS]
    assert [reply.text for reply in found] == [reply.text for reply in wanted]
    assert len({reply.text for reply in found}) == 3
    assert [reply.usage.cached_tokens for reply in wanted] == [0] * 4
    cached = [reply.usage.cached_tokens for reply in found]
    shared = keeping.count_tokens([Message(role="user", content=f"{DOCUMENTS}Question:")]) - 12
    assert cached[0] == 0
    assert min(cached[1:]) >= shared
    assert all(reply.usage.cached_tokens < reply.usage.prompt_tokens for reply in found)
    # in the middle of it: another prompt, a batch, a stream
    other = request("Why?", documents="Something else. " * 12)
    assert keeping.complete(other).text == plain.complete(other).text
    many = [request(question) for question in QUESTIONS]
    assert [r.text for r in keeping.complete_many(many)] == [r.text for r in plain.complete_many(many)]
    streams = [streamed(keeping.stream(request(question)))[1] for question in QUESTIONS[:2]]
    assert [reply.text for reply in streams] == [reply.text for reply in wanted[:2]]
    assert streams[1].usage.cached_tokens >= shared
    assert keeping.complete(request(QUESTIONS[2])).text == wanted[2].text


def test_a_stream_that_is_left_and_an_error_leave_nothing_wrong(base: Path) -> None:
    plain, keeping = LocalModel(base), LocalModel(base)
    keeping.keep_prefix()
    keeping.complete(request(QUESTIONS[0]))
    stream = keeping.stream(request(QUESTIONS[1], new=200))
    next(stream)
    stream.close()  # type: ignore[attr-defined]  # a generator
    with pytest.raises(RequestRejected):
        keeping.complete(request("why " * 400))
    with pytest.raises(RuntimeError, match="broken"), keeping._kept.lent(keeping._weights.model, None, [[1] * 40]):  # type: ignore[union-attr]
        raise RuntimeError("broken")
    for question in QUESTIONS:
        assert keeping.complete(request(question)).text == plain.complete(request(question)).text


def test_threads_take_turns(base: Path) -> None:
    plain, keeping = LocalModel(base), LocalModel(base)
    keeping.keep_prefix()
    wanted = {question: plain.complete(request(question, new=8)).text for question in QUESTIONS}
    wrong: list[str] = []

    def ask(question: str) -> None:
        for _ in range(3):
            text = keeping.complete(request(question, new=8)).text
            wrong.extend([text] if text != wanted[question] else [])

    threads = [threading.Thread(target=ask, args=(question,)) for question in QUESTIONS]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_another_adapter_has_other_keys(base: Path) -> None:
    model = LocalModel(base)._weights.model
    kept = KeptPrefix()
    ids = [5] * 40
    with kept.lent(model, None, [ids]) as more:
        model.generate(torch.tensor([ids]), max_new_tokens=2, **more)
    with kept.lent(model, "adapter0", [ids]) as more:
        assert kept.reused == 0
        assert more["past_key_values"].get_seq_length() == 0
        model.generate(torch.tensor([ids]), max_new_tokens=2, **more)
    with kept.lent(model, "adapter0", [ids]):
        assert kept.reused == 39


def test_what_is_too_large_or_cannot_go_back_is_not_kept(base: Path) -> None:
    keeping = LocalModel(base)
    keeping._kept = KeptPrefix(most_bytes=1000)
    assert [keeping.complete(request("Who?", new=2)).usage.cached_tokens for _ in range(2)] == [0, 0]
    sizes = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    sliding = MistralForCausalLM(MistralConfig(vocab_size=50, num_key_value_heads=1, sliding_window=8, **sizes))
    with KeptPrefix().lent(sliding, None, [[1] * 40]) as more:
        assert more == {}
