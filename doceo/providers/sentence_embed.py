"""Any sentence-transformers model, by hub name or folder: safetensors weights only, no code from the model."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from doceo.core.errors import InputError, ModelNotFound, Unreachable
from doceo.text.surrogates import without_surrogates

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from sentence_transformers import SentenceTransformer
    from transformers import PreTrainedTokenizerFast


class SentenceEmbedder:
    """An `Embedder` over a sentence-transformers model. Loading it takes seconds, since it imports torch.

    Args:
        model: Name of the model on the Hugging Face hub, or its folder.
        device: `cpu`, `cuda`, `mps`; left out, what the machine has.

    Raises:
        ModelNotFound: No such folder or name, or one without safetensors weights or a fast tokenizer.
        Unreachable: The hub does not answer and the model is not in its cache.
    """

    def __init__(self, model: str, device: str | None = None) -> None:
        self._model = _load(model, device)
        self._tokenizer: PreTrainedTokenizerFast = _fast_tokenizer(self._model, model)
        self._using = threading.Lock()
        self.name: str = Path(model).resolve().name if Path(model).is_dir() else model
        dimensions = self._model.get_embedding_dimension()
        if dimensions is None:
            raise ModelNotFound(f"{model} does not say how long its vectors are.", hint="Choose another embedder.")
        self.dimensions: int = dimensions
        longest = self._model.max_seq_length or self._tokenizer.model_max_length
        self.max_tokens: int = int(longest) - self._tokenizer.num_special_tokens_to_add()
        self.fingerprint: str = f"{self.name}|sentence-transformers|{_weights_hash(self._model)[:12]}"

    def offsets(self, text: str) -> list[tuple[int, int]]:
        """Return the (start, end) code points of every token of the text, without special tokens."""
        with self._using:
            encoding = self._tokenizer(
                without_surrogates(text),
                add_special_tokens=False,
                return_offsets_mapping=True,
                truncation=False,
                verbose=False,
            )
        return [(int(start), int(end)) for start, end in encoding["offset_mapping"]]

    def counts(self, texts: Sequence[str]) -> list[int]:
        """Return the number of tokens of every text, without special tokens."""
        if not texts:
            return []
        with self._using:
            encoding = self._tokenizer(
                [without_surrogates(text) for text in texts],
                add_special_tokens=False,
                truncation=False,
                verbose=False,
                return_attention_mask=False,
                return_token_type_ids=False,
            )
        return [len(ids) for ids in encoding["input_ids"]]

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return an array of shape (len(texts), dimensions), rows of length 1.

        Raises InputError where a text has more than `max_tokens` tokens: nothing is cut silently.
        """
        import numpy as np

        for text, tokens in zip(texts, self.counts(texts), strict=True):
            if tokens > self.max_tokens:
                raise InputError(
                    f"A text of {tokens} tokens is too long for {self.name} (at most {self.max_tokens}): {text[:30]!r}",
                    hint="Cut it into smaller passages.",
                )
        if not texts:
            return np.empty((0, self.dimensions), dtype=np.float32)
        with self._using:
            vectors = self._model.encode(
                [without_surrogates(text) for text in texts],
                normalize_embeddings=True,
                convert_to_numpy=True,
                show_progress_bar=False,
            )
        return np.asarray(vectors, dtype=np.float32)


def _load(model: str, device: str | None) -> SentenceTransformer:
    import httpx
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, OfflineModeIsEnabled
    from sentence_transformers import SentenceTransformer

    try:
        return SentenceTransformer(
            model, device=device, trust_remote_code=False, model_kwargs={"use_safetensors": True}
        )
    except (httpx.TransportError, LocalEntryNotFoundError, OfflineModeIsEnabled) as error:
        raise _unreachable(model) from error
    except (OSError, ValueError, HFValidationError, HfHubHTTPError) as error:
        if _offline(error):
            raise _unreachable(model) from error
        why = next(iter(str(error).splitlines()), repr(error))
        raise ModelNotFound(
            f"There is no usable sentence-transformers model {model}: {why}",
            hint="Give a folder that holds one, or its name on the Hugging Face hub.",
        ) from error


def _offline(error: BaseException) -> bool:
    """Say whether the hub could not be reached, which transformers reports as an OSError about the model."""
    import httpx
    from huggingface_hub.errors import LocalEntryNotFoundError, OfflineModeIsEnabled

    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, httpx.TransportError | LocalEntryNotFoundError | OfflineModeIsEnabled):
            return True
        cause = cause.__cause__ or cause.__context__
    return False


def _unreachable(model: str) -> Unreachable:
    return Unreachable(
        f"The Hugging Face hub does not answer, and the model {model} is not in its cache on this machine.",
        hint="Connect once to download it, or give the folder of a model you have.",
    )


def _fast_tokenizer(model: SentenceTransformer, name: str) -> PreTrainedTokenizerFast:
    from transformers import PreTrainedTokenizerFast

    tokenizer = model.tokenizer
    if not isinstance(tokenizer, PreTrainedTokenizerFast):
        raise ModelNotFound(
            f"{name} has no fast tokenizer, so the places of its tokens are unknown.", hint="Choose another embedder."
        )
    return tokenizer


def _weights_hash(model: SentenceTransformer) -> str:
    import torch

    digest = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        digest.update(name.encode())
        digest.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()
