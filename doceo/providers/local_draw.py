"""The next token of every row of a batch, each drawn as its own request says."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import TYPE_CHECKING

from doceo.core.records import ChatRequest

if TYPE_CHECKING:
    import torch

_COLDEST = 1e-4
"""Temperature up to which the likeliest token is taken: a share of it would be no number any more."""


class Draw:
    """A logits processor of transformers: where a row is drawn by chance, it leaves the drawn token alone.

    Each row has a generator of its own, so that what is drawn for a seed does not depend on who else asks. Penalties
    are OpenAI's: `presence` once and `frequency` for every time that a token stands in the answer. Nucleus sampling
    (`top_p`) after Holtzman and others 2020.

    Args:
        rows: Each row's request, and its answer's tokens, which grow.
    """

    def __init__(self, rows: Sequence[tuple[ChatRequest, list[int]]]) -> None:
        import torch

        self._rows = list(rows)
        self._generators: list[torch.Generator] = []
        for request, _ in rows:
            seed = secrets.randbits(63) if request.seed is None else request.seed % 2**63
            self._generators.append(torch.Generator().manual_seed(seed))

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        """Return the scores, of shape (rows, vocabulary), of which the likeliest token is the one to take."""
        for n, (request, said) in enumerate(self._rows):
            if said and (request.presence_penalty or request.frequency_penalty):
                self._penalise(scores[n], request, said)
            if request.temperature > _COLDEST:
                drawn = self._drawn(scores[n], request, self._generators[n])
                scores[n] = float("-inf")
                scores[n, drawn] = 0.0
        return scores

    def _penalise(self, row: torch.Tensor, request: ChatRequest, said: Sequence[int]) -> None:
        import torch

        counts = torch.bincount(torch.tensor(said, device=row.device), minlength=len(row))
        row -= request.presence_penalty * (counts > 0) + request.frequency_penalty * counts

    def _drawn(self, row: torch.Tensor, request: ChatRequest, generator: torch.Generator) -> int:
        import torch

        # an adapter gone wrong says NaN: that must not end the answers of those whose rows stand beside it
        chances = torch.softmax(torch.nan_to_num(row.float().cpu() / request.temperature), dim=-1)
        if request.top_p < 1:
            ordered, order = chances.sort(descending=True)
            before = ordered.cumsum(-1) - ordered
            # the likeliest is always among them
            chances = torch.zeros_like(chances).scatter(0, order, ordered * (before < max(request.top_p, 1e-9)))
        return int(torch.multinomial(chances, 1, generator=generator))
