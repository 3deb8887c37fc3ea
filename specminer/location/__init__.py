"""What a storage slot means: ``auctions[7].highestBid`` instead of ``0x8f3e…``.

Names come from a storage layout where there is one; keys of mappings come from the KECCAK preimages that
the tracer recorded. Without a layout a variable is named by its base slot (``slot3``, ``mapping3``).
"""

from specminer.location.layout import Layout, LayoutError
from specminer.location.places import NAMED_BASES, Key, Part, Place, Places, ValueKind

__all__ = ["NAMED_BASES", "Key", "Layout", "LayoutError", "Part", "Place", "Places", "ValueKind"]
