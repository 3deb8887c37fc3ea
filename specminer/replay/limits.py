"""What a transaction may take at most when it is executed again, unless the user says otherwise.

Gas bounds what code can do, but a hostile export may claim any amount of it.
"""

from __future__ import annotations

from typing import Final

MAX_STEPS: Final = 20_000_000
"""Opcodes, and what takes as long; a full block of today takes about as many."""
MAX_GAS: Final = 1 << 28
"""What is beyond bounds neither memory nor time."""
MAX_RECORDED: Final = 256 << 20
"""Bytes that the record of one block's transactions may hold: passing calldata on costs next to no gas, but is recorded
each time. A block of today's size cannot record as much by honest means."""
