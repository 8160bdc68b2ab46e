"""Who a request is from, and whether it may be made."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from fastapi import Depends, HTTPException, Request

from doceo.app.host import Host
from doceo.app.store.store import LOCAL
from doceo.core.access import Caller, Scope


def host_of(request: Request) -> Host:
    """Return what the service works with."""
    found: Host = request.app.state.host
    return found


Hosted = Annotated[Host, Depends(host_of)]


def caller_of(request: Request) -> Caller:
    """Return who asks."""
    return Caller(key="", owner=LOCAL, scopes=("admin",))


def needs(scope: Scope) -> Callable[[Caller], Caller]:
    """Return a dependency that lets callers with a scope through."""

    def check(caller: Annotated[Caller, Depends(caller_of)]) -> Caller:
        if not caller.may(scope):
            raise HTTPException(403, f"This key lacks the scope {scope}.")
        return caller

    return check


MayChat = Annotated[Caller, Depends(needs("chat"))]
MayIngest = Annotated[Caller, Depends(needs("ingest"))]
MayTrain = Annotated[Caller, Depends(needs("train"))]
MayAdministrate = Annotated[Caller, Depends(needs("admin"))]
