"""`/healthz`: the process is up."""

from __future__ import annotations

from fastapi import APIRouter

router = APIRouter()


@router.get("/healthz")
def health() -> dict[str, str]:
    """Say that the process answers."""
    return {"status": "ok"}
