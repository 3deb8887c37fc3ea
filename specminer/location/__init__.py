"""What a storage slot means: variable, keys, field.

:func:`locate` says it for a whole history at once, as columns (:class:`Locations`, described in
:mod:`specminer.location.columns`). Sources, the most trusted first: a compiler's storage layout; the KECCAK
preimages that a tracer saw, which tell mapping keys and array indices apart even where names are unknown; else
the slot's own number.
"""

from specminer.location.checking import Verdict, check
from specminer.location.columns import (
    RESOLUTIONS,
    Field,
    KeyTable,
    Locations,
    Naming,
    Port,
    PortKind,
    Resolution,
    Variable,
)
from specminer.location.getters import evidence
from specminer.location.layout import Layout, LayoutError
from specminer.location.locating import locate
from specminer.location.places import NAMED_BASES, Key, Part, Place, Places, ValueKind

__all__ = [
    "NAMED_BASES",
    "RESOLUTIONS",
    "Field",
    "Key",
    "KeyTable",
    "Layout",
    "LayoutError",
    "Locations",
    "Naming",
    "Part",
    "Place",
    "Places",
    "Port",
    "PortKind",
    "Resolution",
    "ValueKind",
    "Variable",
    "Verdict",
    "check",
    "evidence",
    "locate",
]
