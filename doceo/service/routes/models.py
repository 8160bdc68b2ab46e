"""`/v1/models`: who can be asked."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Request

from doceo.app.assistant import Assistants

router = APIRouter(prefix="/v1/models")


def assistants_of(request: Request) -> Assistants:
    """Return the models that this application serves."""
    found: Assistants = request.app.state.assistants
    return found


Served = Annotated[Assistants, Depends(assistants_of)]


@router.get("")
def list_models(served: Served) -> dict[str, object]:
    """List the models, the default first."""
    return {"object": "list", "data": [_model(name) for name in served.names()]}


@router.get("/{name:path}")
def retrieve_model(name: str, served: Served) -> dict[str, object]:
    """Return one model."""
    if name not in served.names():
        raise HTTPException(404, f"The model {name!r} does not exist.")
    return _model(name)


def _model(name: str) -> dict[str, object]:
    return {"id": name, "object": "model", "created": 0, "owned_by": "doceo"}
