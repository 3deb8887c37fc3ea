"""Numbers for the code that calls ran, through proxies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from specminer.evm.program import jump_targets
from specminer.shadow.record import ShadowRecord


@dataclass(slots=True, kw_only=True)
class CodeNumbers:
    """Numbers codes, from 1 on.

    The code of a call is that of its contract, and of those to which it handed its whole calldata on. Codes whose jumps
    lead to the same places count as one: they differ in immutables, or in what the compiler appends.
    """

    _targets: dict[bytes, frozenset[int]] = field(default_factory=dict)
    _numbers: dict[tuple[frozenset[int], ...], int] = field(default_factory=dict)

    def number(self, codes: Mapping[int, bytes], record: ShadowRecord) -> int:
        """Return the number of the code that a call ran.

        Args:
            codes: by address.
            record: what the shadow tells of the call.

        """
        targets = tuple(
            self._targets_of(codes.get(address, b"")) for address in (record.contract, *record.handed_on)
        )
        return self._numbers.setdefault(targets, len(self._numbers) + 1)

    def _targets_of(self, code: bytes) -> frozenset[int]:
        targets = self._targets.get(code)
        if targets is None:
            targets = self._targets[code] = jump_targets(code)
        return targets
