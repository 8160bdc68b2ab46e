"""`doceo doctor`: what is installed, reachable and will fit."""

from __future__ import annotations

import typer

from doceo.app.settings import Settings
from doceo.cli.console import Console
from doceo.cli.knobs import verb


def register(app: typer.Typer) -> None:
    """Add the verb."""

    @verb(app, "doctor", panel="Start", top=("teacher", "base", "model", "embedder", "base_url"))
    def doctor(settings: Settings, console: Console) -> int | None:
        """Look at what is installed, reachable, kept and will fit; each problem comes with its cure."""
        from doceo.app.checkup import findings

        found = list(findings(settings))
        console.table(["", "", ""], [["ok" if f.ok else "PROBLEM", f.name, f.words] for f in found], words=True)
        for finding in found:
            if not finding.ok:
                console.show(f"{finding.name}: {finding.cure}")
        console.result({"ok": all(f.ok for f in found), "findings": [vars(f) for f in found]})
        return 0 if all(f.ok for f in found) else 1
