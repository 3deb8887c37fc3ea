"""Gives memory that is not used any more back to the system."""

from __future__ import annotations

import ctypes
import gc
import sys


def give_back() -> None:
    """Give back what the C library keeps for later, where that is the GNU one; elsewhere nothing happens.

    It keeps what was in use between two pieces that still are, which is as much again as what a large history needs.
    """
    gc.collect()
    if not sys.platform.startswith("linux"):
        return
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # musl has none
    if trim is not None:
        trim(0)
