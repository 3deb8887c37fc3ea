"""The functions behind ``import specminer``; ``from specminer.api import mine`` is an older way to write the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import specminer

if TYPE_CHECKING:
    from specminer import MinedSpecification, mine, read

__all__ = ["MinedSpecification", "mine", "read"]


def __getattr__(name: str) -> Any:
    if name in specminer.__all__:
        return getattr(specminer, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
