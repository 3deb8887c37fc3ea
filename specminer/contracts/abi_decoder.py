"""eth-abi's decoder, with a bound on how often the same bytes are read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from eth_abi.codec import ABIDecoder
from eth_abi.decoding import ContextFramesBytesIO
from eth_abi.exceptions import InsufficientDataBytes
from eth_abi.registry import registry


class _Stream(ContextFramesBytesIO):
    """Calldata that may be read only a few times over: pointers may lead to the same bytes many times."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)  # type: ignore[no-untyped-call]
        self._remaining = 8 * len(data) + 4096

    def read(self, size: int | None = -1) -> bytes:
        data = super().read(size)
        self._remaining -= len(data) + 8
        if self._remaining < 0:
            raise InsufficientDataBytes("the data leads to the same bytes again and again")
        return data


class _Decoder(ABIDecoder):
    stream_class = _Stream


_decoder = _Decoder(registry)


def decode(types: Sequence[str], data: bytes, *, strict: bool) -> tuple[Any, ...]:
    """Return the values that data encodes; raises what eth-abi does where it does not fit the types."""
    return _decoder.decode(list(types), data, strict=strict)
