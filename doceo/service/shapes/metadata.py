"""What owners write on their objects: a few pairs of short words."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, Field, StrictBool, StrictInt

Key = Annotated[str, Field(max_length=64)]
Value = Annotated[str, Field(max_length=512)]
Metadata = Annotated[dict[Key, Value], Field(max_length=16)]
"""Up to 16 pairs; keys have at most 64 characters, values 512."""
Number = StrictInt | Annotated[float, Field(strict=True, allow_inf_nan=False)]
Attributes = Annotated[dict[Key, StrictBool | Number | Value], Field(max_length=16)]
"""Up to 16 pairs; values are also numbers and booleans."""


class Changed(BaseModel):
    """A request that changes an object: what it does not name stays."""

    def given(self) -> dict[str, Any]:
        """Return the fields that the request names."""
        return {name: getattr(self, name) for name in self.model_fields_set}
