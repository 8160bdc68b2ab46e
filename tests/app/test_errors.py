"""Errors are the same on the other side of a process, or a machine, that raised them."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from doceo.app.engine import Stage
from doceo.core.errors import DoceoError, MissingExtra, MissingPackage, RateLimited

ROOT = Path(__file__).parents[2]


def tree(kind: type[DoceoError] = DoceoError) -> Iterator[type[DoceoError]]:
    yield kind
    for below in kind.__subclasses__():
        yield from tree(below)


def made(kind: type[DoceoError]) -> DoceoError:
    if issubclass(kind, MissingPackage):
        return kind("package", purpose="This")
    if issubclass(kind, MissingExtra):
        return kind("package", extra="extra", purpose="This")
    return kind("What is wrong.", hint="What helps.")


@pytest.mark.parametrize("error", [*map(made, tree()), RateLimited("Wait.", hint="A bit.", retry_after=2.5)], ids=repr)
def test_an_error_travels_whole(error: DoceoError) -> None:
    for there in (copy.deepcopy(error), *(pickle.loads(pickle.dumps(error, n)) for n in range(2, 6))):
        assert type(there) is type(error)
        assert (str(there), there.args, vars(there)) == (str(error), error.args, vars(error))


@pytest.mark.slow
def test_an_error_on_another_machine_is_what_the_stage_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    ray = pytest.importorskip("ray", reason="the extra `ray` is not installed")
    from doceo.app.ray_engine import Ray

    def work(items: Sequence[int]) -> Iterator[int]:
        raise RateLimited("Too many questions.", hint="Wait.", retry_after=2.5)

    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    try:
        with pytest.raises(RateLimited, match="Too many questions") as caught:
            list(Ray().each(Stage(work, int, int, 2), [1, 2, 3]))
        assert (caught.value.hint, caught.value.retry_after) == ("Wait.", 2.5)
    finally:
        ray.shutdown()
