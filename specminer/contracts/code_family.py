"""Which contracts are instances of one code: runtime code equal but for immutables and metadata.

No compiler is asked. What a code shares with its siblings is a digest of it with two things blanked out:

- *metadata*: what solc and Vyper append (and a factory carries inside), found by its own form in CBOR;
- *immutables*: solc keeps each in the operand of a ``PUSH32``, Vyper behind the code. Where the creation code
  is at hand, its copy of the runtime code tells them exactly: solc leaves these operands zero there, Vyper's
  copy ends before them. Without it every operand of a ``PUSH32`` that code of solc may hold is blanked, so that
  codes which differ in a constant of 32 bytes alone count as equal, and Vyper's immutables are not found.

A minimal proxy is known by its target, whatever arguments stand behind it.

Source: the Solidity documentation (Contract Metadata; immutables), ERC-1167, ERC-7511, and what solc 0.4 to
0.8 and Vyper 0.3.10 and 0.4 were seen to write.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b
from itertools import pairwise
from typing import Final

_BEGINS: Final = re.compile(rb"[\xa1-\xa4](?=\x64ipfs|\x65bzzr[01]|\x6cexperimental|\x64solc)")
"""Where metadata may begin: a map in CBOR, with a key that solc writes."""
_KEYS: Final = (b"ipfs", b"bzzr0", b"bzzr1", b"experimental", b"solc")
_CLONES: Final = (
    (b"\x36\x3d\x3d\x37\x3d\x3d\x3d\x36\x3d", b"\x5a\xf4\x3d\x82\x80\x3e\x90\x3d\x91\x60", 0x17),
    (b"\x36\x5f\x5f\x37\x5f\x5f\x36\x5f", b"\x5a\xf4\x3d\x5f\x5f\x3e\x5f\x3d\x91\x60", 0x16),
)
"""Minimal proxies of ERC-1167 and ERC-7511: what stands before and behind the push of the target, and where the
code goes on when all is well, without the target's bytes."""
_MAP: Final = 0xA0
_BYTES: Final = 2
_TEXT: Final = 3
_SIZE_FOLLOWS: Final = 24
_TRUTH: Final = (0xF4, 0xF5)
"""Of CBOR (RFC 8949): a map without entries, the major types of strings, when their size is a byte of its own,
and false and true."""
_CLONES_END: Final = b"\x57\xfd\x5b\xf3"
_PUSH1: Final = 0x60
_PUSH20: Final = 0x73
_PUSH32: Final = 0x7F
_PROBE: Final = 256
"""Bytes of the runtime code that are looked for in the creation code."""
_TRIES: Final = 16
"""Places where they stand that are looked at; a hostile code may repeat them without end."""
_VYPER: Final = b"\x65vyper\x83"

Span = tuple[int, int]
"""Offsets of the first byte and the one behind the last."""


def clone_target(code: bytes) -> bytes | None:
    """Return the address that a minimal proxy hands every call to; ``None`` if the code is none."""
    for head, tail, landing in _CLONES:
        size = code[len(head)] - _PUSH1 + 1 if code.startswith(head) and len(code) > len(head) else 0
        if not 1 <= size <= 20:
            continue
        at = len(head) + 1
        if code[at + size :].startswith(tail + bytes([landing + size]) + _CLONES_END):
            return code[at : at + size].rjust(20, b"\0")
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """What the instances of one code have in common."""

    digest: bytes
    blanks: tuple[Span, ...]
    """Where immutables lie, ascending."""
    exact: bool
    """Whether the creation code told where; else what may be an immutable was taken for one."""

    def holds(self, code: bytes) -> bool:
        """Whether code is an instance's; none is no instance's."""
        return bool(code) and _digest(code, self.blanks) == self.digest


def family(code: bytes, creation: bytes = b"") -> Family:
    """Return the family of a contract; ``creation`` is what created it, arguments and all, where known."""
    if clone_target(code) is not None:
        return Family(digest=_digest(code, ()), blanks=(), exact=True)
    immutables = _find_immutables(code, creation)
    blanks = immutables
    if blanks is None:
        blanks = tuple(span for span in _operands(code) if code[span[0] - 1] == _PUSH32)
    return Family(digest=_digest(code, blanks), blanks=blanks, exact=immutables is not None)


def _digest(code: bytes, blanks: tuple[Span, ...]) -> bytes:
    """Return a digest of the code without metadata, with blanks in place of immutables."""
    target = clone_target(code)
    if target is not None:
        return blake2b(b"clone" + target, digest_size=32).digest()
    if blanks and blanks[-1][1] > len(code):
        return b""
    left, digest, behind = _blank_spans(code, blanks), blake2b(b"code", digest_size=32), 0
    for start, end in _metadata(left):
        digest.update(left[behind:start])
        behind = end
    digest.update(left[behind:])
    return digest.digest()


def _blank_spans(code: bytes, blanks: tuple[Span, ...]) -> bytes:
    left = bytearray(code)
    for start, end in blanks:
        left[start:end] = bytes(end - start)
    return bytes(left)


def _metadata(code: bytes) -> Iterator[Span]:
    """Yield where metadata lies, its length at the end included, ascending."""
    behind = 0
    for start in _BEGINS.finditer(code):
        if start.start() < behind:
            continue
        end = _map_end(code, start.start())
        if end is not None and code[end : end + 2] == (end - start.start()).to_bytes(2, "big"):
            behind = end + 2
            yield start.start(), behind


def _map_end(code: bytes, at: int) -> int | None:
    """Return where a map of solc's keys to byte strings, texts and truth values ends; ``None`` if it is none."""
    entries = code[at] - _MAP
    at += 1
    for _ in range(entries):
        key = code[at + 1 : at + 1 + (code[at] & 0x1F)] if at < len(code) else b""
        at += 1 + len(key)
        if key not in _KEYS or at + 1 >= len(code):
            return None
        kind, size = code[at] >> 5, code[at] & 0x1F
        at += 1
        if kind in (_BYTES, _TEXT):
            if size == _SIZE_FOLLOWS:
                size = code[at]
                at += 1
            elif size > _SIZE_FOLLOWS:
                return None
            at += size
        elif code[at - 1] not in _TRUTH:
            return None
    return at


def _operands(code: bytes) -> list[Span]:
    """Return where the operands of PUSH20 to PUSH32 lie, those in metadata left out."""
    code = _blank_spans(code, tuple(_metadata(code)))
    spans: list[Span] = []
    at = 0
    while at < len(code):
        size = code[at] - _PUSH1 + 1
        if _PUSH20 <= code[at] <= _PUSH32 and at + 1 + size <= len(code):
            spans.append((at + 1, at + 1 + size))
        at += 1 + size if 1 <= size <= 32 else 1
    return spans


def _find_immutables(code: bytes, creation: bytes) -> tuple[Span, ...] | None:
    """Return where the creation code shows immutables; ``None`` if it does not hold the runtime code."""
    if not code or not creation:
        return None
    spans = _operands(code)
    start, end = _probe(code, spans)
    for at in _positions(creation, code[start:end]):
        copy = creation[at - start : at - start + len(code)] if at >= start else b""
        blanks = tuple(span for span in spans if not any(copy[slice(*span)]))
        if _blank_spans(code, blanks) == copy:
            return blanks
    return _behind(code, creation)


def _probe(code: bytes, spans: list[Span]) -> Span:
    """Return the longest stretch of code that holds no operand which an immutable may fill, cut."""
    borders = [(0, 0), *spans, (len(code), len(code))]
    start, end = max(
        ((before[1], after[0]) for before, after in pairwise(borders)), key=lambda span: span[1] - span[0]
    )
    return start, min(end, start + _PROBE)


def _positions(text: bytes, part: bytes) -> Iterator[int]:
    at = text.find(part) if part else -1
    for _ in range(_TRIES):
        if at < 0:
            return
        yield at
        at = text.find(part, at + 1)


def _behind(code: bytes, creation: bytes) -> tuple[Span, ...] | None:
    """Return Vyper's immutables, whole words behind what the creation code holds; ``None`` if there are none."""
    if _VYPER not in creation:
        return None
    for at in _positions(creation, code[: min(_PROBE, len(code) // 2)]):
        low, high = 0, min(len(code), len(creation) - at)
        while low < high:  # the longest common beginning
            middle = (low + high + 1) // 2
            low, high = (middle, high) if creation[at : at + middle] == code[:middle] else (low, middle - 1)
        words = -(-(len(code) - low) // 32)
        if _VYPER in creation[at + low - len(_VYPER) :] and words * 32 <= len(code):
            return ((len(code) - words * 32, len(code)),) if words else ()
    return None
