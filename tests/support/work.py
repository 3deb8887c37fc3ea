"""How much work something is, in a measure that does not depend on what else the machine does."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import ParamSpec

_P = ParamSpec("_P")


def work_of(function: Callable[_P, object], *args: _P.args, **kwargs: _P.kwargs) -> int:
    """Return how many calls, of Python and of C functions, one call of a function makes."""
    calls = 0

    def count(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        function(*args, **kwargs)
    finally:
        sys.setprofile(before)
    return calls
