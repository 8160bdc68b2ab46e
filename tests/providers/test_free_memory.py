"""How much memory is left."""

from __future__ import annotations

from pathlib import Path

from doceo.providers.free_memory import free_memory


def test_the_limit_of_a_container_counts(tmp_path: Path) -> None:
    machine = free_memory("cpu", tmp_path)
    assert machine > 1_000_000
    (tmp_path / "memory.current").write_text("600\n")
    (tmp_path / "memory.stat").write_text("anon 500\ninactive_file 100\n")
    (tmp_path / "memory.max").write_text("max\n")
    assert free_memory("cpu", tmp_path) > 1_000_000
    (tmp_path / "memory.max").write_text("1000\n")
    assert free_memory("cpu", tmp_path) == 500
