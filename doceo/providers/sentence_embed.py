"""Any sentence-transformers model, by hub name or folder: safetensors weights only, no code from the model.

Models such as E5's and BGE's want words before a question or a passage that say which it is. Where a model's own
configuration names such prompts they are used.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from doceo.core.errors import InputError, ModelNotFound, Unreachable
from doceo.core.fingerprint import canonical, sha256
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
        self._prompts = _prompts(self._model)
        longest = self._model.max_seq_length or self._tokenizer.model_max_length
        self._longest = int(longest) - self._tokenizer.num_special_tokens_to_add()
        self.max_tokens: int = self._longest - max(self.counts(self._prompts))
        weights = _weights_hash(self._model)[:12]
        said = f"|prompts {sha256(canonical(self._prompts))[:12]}" if any(self._prompts) else ""
        self.fingerprint: str = f"{self.name}|sentence-transformers|{weights}{said}"

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
        """Return an array of shape (len(texts), dimensions), rows of length 1, of passages.

        Raises InputError where a text has more than `max_tokens` tokens: nothing is cut silently.
        """
        return self._embed(texts, self._prompts[1])

    def embed_queries(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return the vectors of questions, to be compared with those of passages. Otherwise as `embed`."""
        return self._embed(texts, self._prompts[0], questions=True)

    def _embed(self, texts: Sequence[str], prompt: str, *, questions: bool = False) -> NDArray[np.float32]:
        import numpy as np

        if not texts:
            return np.empty((0, self.dimensions), dtype=np.float32)
        texts = [without_surrogates(text) for text in texts]
        for text, tokens in zip(texts, self.counts([prompt + text for text in texts]), strict=True):
            if tokens > self._longest:
                raise InputError(
                    f"A text of {tokens} tokens is too long for {self.name} (at most {self._longest}): {text[:30]!r}",
                    hint="Cut it into smaller passages.",
                )
        encode = self._model.encode_query if questions else self._model.encode_document
        with self._using:
            vectors = encode(
                texts, prompt=prompt, normalize_embeddings=True, convert_to_numpy=True, show_progress_bar=False
            )
        return np.asarray(vectors, dtype=np.float32)


def _prompts(model: SentenceTransformer) -> tuple[str, str]:
    """Return what is put before a question and before a passage, as the model's configuration names it, or nothing."""
    named = {name: text or "" for name, text in model.prompts.items()}
    passage = next((named[name] for name in ("document", "passage", "corpus") if named.get(name)), "")
    return named.get("query", ""), passage


def _load(model: str, device: str | None) -> SentenceTransformer:
    with loading(model, "sentence-transformers model"):
        from sentence_transformers import SentenceTransformer

        return SentenceTransformer(
            model, device=device, trust_remote_code=False, model_kwargs={"use_safetensors": True}
        )


@contextmanager
def loading(model: str, kind: str) -> Iterator[None]:
    """Map what loading a model of sentence-transformers raises to ModelNotFound and Unreachable."""
    import httpx
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, OfflineModeIsEnabled

    try:
        yield
    except (httpx.TransportError, LocalEntryNotFoundError, OfflineModeIsEnabled) as error:
        raise _unreachable(model) from error
    except (OSError, ValueError, HFValidationError, HfHubHTTPError) as error:
        if _offline(error):
            raise _unreachable(model) from error
        why = next(iter(str(error).splitlines()), repr(error))
        raise ModelNotFound(
            f"There is no usable {kind} {model}: {why}",
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
