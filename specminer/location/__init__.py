"""What a storage slot means: variable, keys, field.

:func:`locate` says it for a whole history at once, as columns (:class:`Locations`, described in
:mod:`specminer.location.columns`). Sources, the most trusted first: a compiler's storage layout; slots that standards
name; the ABI's getters, run on made-up storage; the KECCAK preimages that a tracer saw or that trying finds, which
tell mapping keys and array indices apart even where names are unknown; else the slot's own number.
"""

from specminer.location.checking import LayoutVerdict, check
from specminer.location.columns import (
    RESOLUTIONS,
    Field,
    KeyTable,
    Locations,
    NameSource,
    Port,
    PortKind,
    Resolution,
    StorageVariable,
)
from specminer.location.getters import read_getters
from specminer.location.layout import Layout, LayoutError
from specminer.location.locating import from_solc, locate
from specminer.location.usual_keys import hashed_text, usual_roles
from specminer.location.values import NAMED_BASES, Key, ValueKind, short_text, text_word

__all__ = [
    "NAMED_BASES",
    "RESOLUTIONS",
    "Field",
    "Key",
    "KeyTable",
    "Layout",
    "LayoutError",
    "LayoutVerdict",
    "Locations",
    "NameSource",
    "Port",
    "PortKind",
    "Resolution",
    "StorageVariable",
    "ValueKind",
    "check",
    "from_solc",
    "hashed_text",
    "locate",
    "read_getters",
    "short_text",
    "text_word",
    "usual_roles",
]
