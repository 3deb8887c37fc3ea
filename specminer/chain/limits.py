"""What a transaction may take at most when it is executed again, unless the user says otherwise.

Gas bounds what code can do, but a hostile export may claim any amount of it.
"""

from __future__ import annotations

from typing import Final

MAX_STEPS: Final = 20_000_000
"""Opcodes; a full block of today takes about as many."""
MAX_GAS: Final = 1 << 34
"""What is beyond bounds neither memory nor time."""
