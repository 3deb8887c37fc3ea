"""The numbers of a specification, as narrow as they are: what a document holds besides is refused."""

from __future__ import annotations

from typing import Annotated, Final, TypeAlias

import msgspec

MAX_COUNT: Final = 2**63 - 1
"""No history has more of anything; larger numbers would not even be divided."""

Count: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=MAX_COUNT)]
"""How many there are of something."""
Share: TypeAlias = Annotated[float, msgspec.Meta(ge=0, le=1)]
"""A part of a whole: from 0 to 1."""
Interval: TypeAlias = tuple[Share, Share]
"""The 95 % interval of a share (Wilson)."""
