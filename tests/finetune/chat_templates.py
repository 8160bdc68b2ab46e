"""Chat templates as their models ship them, and tokenizers that hold the special tokens they write."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast
from trl import chat_template_utils

from doceo.text.chat_template import CHATML, PLAIN

FOLDER = chat_template_utils._CHAT_TEMPLATES_DIR
_MARKS = re.compile(r"<\|[^|>{}\n]+\|>|<｜[^｜>]+｜>|<(?:start_of_turn|end_of_turn|turn\|)>|\[/?INST\]")

MISTRAL_1 = (
    "{{ bos_token }}{% for message in messages %}"
    "{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}"
    "{{ raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') }}{% endif %}"
    "{% if message['role'] == 'user' %}{{ '[INST] ' + message['content'] + ' [/INST]' }}"
    "{% elif message['role'] == 'assistant' %}{{ message['content'] + eos_token}}"
    "{% else %}{{ raise_exception('Only user and assistant roles are supported!') }}{% endif %}{% endfor %}"
)
MISTRAL_3 = (
    "{%- if messages[0]['role'] == 'system' %}{%- set system_message = messages[0]['content'] %}"
    "{%- set loop_messages = messages[1:] %}{%- else %}{%- set loop_messages = messages %}{%- endif %}"
    "{{- bos_token }}{%- for message in loop_messages %}"
    "{%- if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}"
    "{{- raise_exception('After the optional system message, conversation roles must alternate') }}{%- endif %}"
    "{%- if message['role'] == 'user' %}"
    "{%- if loop.last and system_message is defined %}"
    "{{- '[INST] ' + system_message + '\\n\\n' + message['content'] + '[/INST]' }}"
    "{%- else %}{{- '[INST] ' + message['content'] + '[/INST]' }}{%- endif %}"
    "{%- else %}{{- ' ' + message['content'] | trim + eos_token}}{%- endif %}{%- endfor %}"
)
LLAMA_2 = (
    "{% if messages[0]['role'] == 'system' %}{% set loop_messages = messages[1:] %}"
    "{% set system_message = messages[0]['content'] %}{% else %}{% set loop_messages = messages %}"
    "{% set system_message = false %}{% endif %}{% for message in loop_messages %}"
    "{% if loop.index0 == 0 and system_message != false %}"
    "{% set content = '<<SYS>>\\n' + system_message + '\\n<</SYS>>\\n\\n' + message['content'] %}"
    "{% else %}{% set content = message['content'] %}{% endif %}"
    "{% if message['role'] == 'user' %}{{ bos_token + '[INST] ' + content.strip() + ' [/INST]' }}"
    "{% elif message['role'] == 'assistant' %}{{ ' ' + content.strip() + ' ' + eos_token }}{% endif %}{% endfor %}"
)
ZEPHYR = (
    "{% for message in messages %}\n{% if message['role'] == 'user' %}\n"
    "{{ '<|user|>\n' + message['content'] + eos_token }}\n{% elif message['role'] == 'system' %}\n"
    "{{ '<|system|>\n' + message['content'] + eos_token }}\n{% elif message['role'] == 'assistant' %}\n"
    "{{ '<|assistant|>\n'  + message['content'] + eos_token }}\n{% endif %}\n"
    "{% if loop.last and add_generation_prompt %}\n{{ '<|assistant|>' }}\n{% endif %}\n{% endfor %}"
)


class Family(NamedTuple):
    """A template and what it writes around an answer's words, in the mask: before them, and as the end."""

    template: str
    end: str
    before: str = ""


def _trl(name: str) -> str:
    return (FOLDER / f"{name}.jinja").read_text(encoding="utf-8")


_THOUGHT = "<think>\n\n</think>\n\n"
FAMILIES: dict[str, Family] = {
    "ours": Family(CHATML, "<|im_end|>"),
    "plain": Family(PLAIN, "</s>", " "),
    "llama-3": Family(_trl("llama3"), "<|eot_id|>"),
    "llama-3.1": Family(_trl("llama3_1"), "<|eot_id|>"),
    "llama-3.2": Family(_trl("llama3_2"), "<|eot_id|>"),
    "llama-2": Family(LLAMA_2, " </s>", " "),
    "qwen-2.5": Family(_trl("qwen2_5"), "<|im_end|>"),
    "qwen-3": Family(_trl("qwen3"), "<|im_end|>", _THOUGHT),
    "qwen-3-instruct": Family(_trl("qwen3_instruct_2507"), "<|im_end|>"),
    "gemma": Family(_trl("gemma"), "<end_of_turn>"),
    "gemma-3": Family(_trl("gemma3"), "<end_of_turn>"),
    "mistral-0.1": Family(MISTRAL_1, "</s>"),
    "mistral-0.3": Family(MISTRAL_3, "</s>", " "),
    "phi-3": Family(_trl("phi3"), "<|end|>"),
    "phi-3.5": Family(_trl("phi3_5"), "<|end|>"),
    "zephyr": Family(ZEPHYR, "</s>"),
    "deepseek-r1": Family(_trl("deepseek_r1_distill"), "<｜end▁of▁sentence｜>", "\n</think>\n\n"),
}


_TEXTS = ("Ada wrote the first program.", "Who wrote the first program?")


def tokenizer_for(template: str, *, spaced: bool = False, texts: Sequence[str] = _TEXTS) -> PreTrainedTokenizerFast:
    """Return a byte-level tokenizer with the marks of a template as special tokens, and no padding token.

    `spaced`: a SentencePiece-like one, which puts a space before every text and adds the begin token by itself.
    """
    marks = sorted(set(_MARKS.findall(template)))
    bpe = Tokenizer(models.BPE(byte_fallback=spaced, unk_token="<unk>" if spaced else None))
    bpe.pre_tokenizer = (
        pre_tokenizers.Metaspace(prepend_scheme="first") if spaced else pre_tokenizers.ByteLevel(add_prefix_space=False)
    )
    bpe.decoder = decoders.Metaspace(prepend_scheme="first") if spaced else decoders.ByteLevel()
    alphabet = [chr(c) for c in range(32, 127)] if spaced else pre_tokenizers.ByteLevel.alphabet()
    special = ["<unk>", "<s>", "</s>", *marks]
    trainer = trainers.BpeTrainer(
        vocab_size=500, special_tokens=special, initial_alphabet=alphabet, show_progress=False
    )
    bpe.train_from_iterator(texts, trainer)
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=bpe,
        unk_token="<unk>",
        bos_token="<s>",
        eos_token="</s>",
        additional_special_tokens=marks,
        clean_up_tokenization_spaces=False,
    )
    tokenizer.chat_template = template
    return tokenizer
