"""Writes a Llama or Qwen model as one GGUF file, with the `gguf` package of llama.cpp."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from data.jsonl import storage_error
from doceo.core.errors import ExportFailed, MissingExtra
from finetune.export.gguf_names import ARCHITECTURES, gguf_name, laid_out
from finetune.export.gguf_parameters import add_parameters, not_expressible, rope_factors
from finetune.export.gguf_tokenizer import add_vocabulary, split_name, vocabulary

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

Quantization = Literal["f32", "f16", "q8_0"]
_BLOCK = 32
"""Values that share one scale in Q8_0: rows of another length stay F16, as llama.cpp keeps them."""


def check_writable(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, conversion: str = "") -> None:
    """Raise ExportFailed where a model cannot be written here, MissingExtra where the package `gguf` is missing.

    Args:
        model: The model, merged or with its adapter.
        tokenizer: Its tokenizer.
        conversion: The command that converts it otherwise, for the hint.
    """
    if find_spec("gguf") is None:
        raise MissingExtra("gguf", extra="gguf", purpose="Writing GGUF files")
    reason = not_expressible(model.config)
    if not reason and split_name(tokenizer) is None:
        reason = "its tokenizer splits text in a way that is not known here"
    if reason:
        command = conversion or "python convert_hf_to_gguf.py DIR"
        hint = f"llama.cpp's own program knows more families: {command}"
        raise ExportFailed(f"This model cannot be written as GGUF here: {reason}.", hint=hint)


def conversion(source: str, out: Path, kind: Quantization) -> str:
    """Return the commands that merge a model and let llama.cpp's own program make a GGUF file of it."""
    merged, file = quote(f"{out}-merged"), quote(f"{out}-{kind}.gguf")
    return (
        f"doceo export-model {quote(source)} --to hf --out {merged}"
        f" && python convert_hf_to_gguf.py {merged} --outfile {file} --outtype {kind}"
    )


def write_gguf(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    path: Path,
    *,
    kind: Quantization,
    context: int,
    ends: list[int],
    name: str,
) -> None:
    """Write a model, whole or not at all; the same model gives the same bytes.

    Args:
        model: A merged model with float32 weights.
        tokenizer: Its tokenizer, with the chat template to write.
        path: The file.
        kind: Number format of the matrices; vectors stay F32.
        context: Tokens that the model can read.
        ends: Ids that end an answer.
        name: What the model is called in the file.

    Raises:
        ExportFailed: The model has a tensor that GGUF's architecture has not, or the tokenizer has more tokens.
        MissingExtra: The package `gguf` is not installed.
        StorageError: The file cannot be written.
    """
    check_writable(model, tokenizer)
    from gguf import GGUFWriter, LlamaFileType

    rows = model.get_input_embeddings().weight.shape[0]
    if len(tokenizer) > rows:
        raise ExportFailed(
            f"The tokenizer has {len(tokenizer)} tokens, the model's embedding only {rows} rows.",
            hint="The tokenizer is not this model's; take the adapter's own base.",
        )
    partial = path.with_name(f".{path.name}.partial")
    files = {"f32": LlamaFileType.ALL_F32, "f16": LlamaFileType.MOSTLY_F16, "q8_0": LlamaFileType.MOSTLY_Q8_0}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        writer = GGUFWriter(partial, ARCHITECTURES[model.config.model_type])
        writer.add_name(name)
        writer.add_file_type(files[kind])
        if kind == "q8_0":
            writer.add_quantization_version(2)
        add_parameters(writer, model.config, context)
        add_vocabulary(writer, vocabulary(tokenizer, rows, ends))
        _write_tensors(writer, model, kind)
        writer.close()
        partial.replace(path)
    except OSError as error:
        if error.errno is None:  # numpy wrote less than it was given, and names no reason: there was no room
            error.errno = errno.ENOSPC
        raise storage_error(error, path) from error
    finally:
        partial.unlink(missing_ok=True)


def _write_tensors(writer: Any, model: PreTrainedModel, kind: Quantization) -> None:  # noqa: ANN401 - of an extra
    """Write the tensors one by one, so that no second copy of the model is held."""
    from gguf import GGMLQuantizationType, quant_shape_to_byte_shape, quantize

    types = {"f32": GGMLQuantizationType.F32, "f16": GGMLQuantizationType.F16, "q8_0": GGMLQuantizationType.Q8_0}
    chosen = [(name, tensor, types[_format(tensor, kind)]) for name, tensor in _tensors(model)]
    for name, tensor, form in chosen:
        size = 1
        for length in quant_shape_to_byte_shape(tuple(tensor.shape), form):
            size *= length
        dtype = tensor.detach().numpy().dtype
        writer.add_tensor_info(name, tuple(tensor.shape), dtype, size, raw_dtype=form)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    with np.errstate(over="ignore"):  # what F16 cannot hold becomes infinite, which the comparison finds
        for _, tensor, form in chosen:
            writer.write_tensor_data(quantize(tensor.detach().contiguous().numpy(), form))


def _format(tensor: torch.Tensor, kind: Quantization) -> Quantization:
    if tensor.ndim < 2:
        return "f32"
    return "f16" if kind == "q8_0" and tensor.shape[-1] % _BLOCK else kind


def _tensors(model: PreTrainedModel) -> Iterator[tuple[str, torch.Tensor]]:
    """Yield GGUF names and float32 tensors; a tied output matrix stands in the file once, as the embedding."""
    tied = model.get_output_embeddings().weight is model.get_input_embeddings().weight
    factors = rope_factors(model.config)
    if factors is not None:
        yield "rope_freqs.weight", factors
    for name, tensor in model.state_dict().items():
        if name == "lm_head.weight" and tied:
            continue
        there = gguf_name(name)
        if there is None:
            raise ExportFailed(
                f"llama.cpp's {model.config.model_type} has no place for the tensor {name}.",
                hint="The model differs from its family; convert it with llama.cpp's own convert_hf_to_gguf.py.",
            )
        yield there, laid_out(name, tensor.float(), model.config)
