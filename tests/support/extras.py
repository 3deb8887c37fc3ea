"""What comes with an extra of specminer and may not be installed: its tests are skipped, and say why.

The reason begins with ``missing part``, which CI takes for a failure.
"""

from __future__ import annotations

from typing import Any

import pytest


def require(module: str, extra: str) -> Any:
    """Return a module that an extra brings; without it, skip the test, or the module that asks when imported."""
    reason = f"missing part: {module}, which the extra '{extra}' brings; run `make setup`"
    return pytest.importorskip(module, reason=reason)
