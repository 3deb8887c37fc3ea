"""Which variables an ABI's getters read: learned from their runs on made-up storage.

A value that a function returned is traced to the bits of a slot that it equals in every run, and this slot
back through what was hashed to a constant and the function's own arguments. Only then does it name anything: the
keys must be all arguments, in their order. What is learned is a tree of shapes, as deep as the keys go: names, the
stride of arrays, and which bits of a slot belong together.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from specminer._support.keccak import keccak
from specminer.contracts.probe import Getter, Probe, ProbedGetter
from specminer.decoding.hash_paths import ARRAY_IMAGES, MAX_STEPS
from specminer.decoding.storage_values import NAMED_BASES, NEARBY, ValueKind


@dataclass(frozen=True, slots=True)
class GetterStep:
    """One hash, or one array of fixed length, on the way to a slot."""

    form: str
    """``mapping``, ``array``, or ``fixed`` for an array of fixed length."""
    argument: int
    """Whose value is the key or index."""
    offset: int
    """Slots behind the beginning of the entry or element."""
    stride: int = 0
    """Slots of an element; 0 where several share a slot, and in mappings."""
    elements_per_slot: int = 1
    """Elements in a slot."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GetterReading:
    """A getter's value is always these bits of that variable."""

    getter: Getter
    output: int
    values: int
    """How many values of the getter come from storage."""
    root: int
    steps: tuple[GetterStep, ...]
    kind: ValueKind
    shift: int
    """-1 where it depends on the index: an element of several in a slot."""
    width: int
    text: bool = False
    limit: int | None = None
    """How many elements the array of fixed length has, where the getter's only argument is its index."""


@dataclass(frozen=True, slots=True)
class _Link:
    """A hash, or the slot itself at the end, with how far behind the hash it lies."""

    key: bytes | None
    offset: int


@dataclass(frozen=True, slots=True)
class _Path:
    root: int
    links: tuple[_Link, ...]


def read_getters(probed: Iterable[ProbedGetter]) -> list[GetterReading]:
    """Return what the runs of getters prove, in the order of the getters."""
    readings: list[GetterReading] = []
    for item in probed:
        alike = _alike(item.probes, vyper=item.vyper)
        if alike is not None:
            readings += _of_getter(item, *alike)
    return readings


def _alike(probes: Sequence[Probe], *, vyper: bool) -> tuple[list[Probe], list[list[_Path]]] | None:
    """Return the runs that read the same way, the most common one, with the paths of what they read."""
    groups: dict[tuple[tuple[bool, ...], ...], list[tuple[Probe, list[_Path]]]] = {}
    for item in probes:
        trail = _paths(item, vyper=vyper)
        shape = tuple(tuple(link.key is None for link in path.links) for path in trail)
        groups.setdefault(shape, []).append((item, trail))
    best = max(groups.values(), key=len, default=[])
    if len(best) < 2 or not best[0][1]:
        return None
    return [item for item, _ in best], [trail for _, trail in best]


def _paths(item: Probe, *, vyper: bool) -> list[_Path]:
    """Return how each slot that a run read was computed."""
    preimages = ARRAY_IMAGES | {
        int.from_bytes(keccak(data), "big"): data for data in item.preimages if len(data) >= 32
    }
    images = sorted(preimages)
    paths = []
    for read_slot, _ in item.reads:
        slot = read_slot
        links: list[_Link] = []
        while len(links) < MAX_STEPS and slot >= NAMED_BASES:
            at = bisect_right(images, slot) - 1
            if at < 0 or slot - images[at] >= NEARBY:
                break
            data = preimages[images[at]]
            base, key = (data[:32], data[32:]) if vyper else (data[-32:], data[:-32])
            links.append(_Link(None if len(data) == 32 else key, slot - images[at]))
            slot = int.from_bytes(base, "big")
        paths.append(_Path(slot, tuple(links[::-1])))
    return paths


def _of_getter(run: ProbedGetter, probes: list[Probe], trails: list[list[_Path]]) -> Iterator[GetterReading]:
    getter, limit = run.getter, run.limit
    matches: list[tuple[int, int, int, int]] = []
    for output, (_, kind) in enumerate(getter.outputs):
        if "[" in kind:
            continue
        answers = [item.values[output] for item in probes]
        if all(answer in _words(item) for answer, item in zip(answers, probes, strict=True)):
            continue  # an argument given back
        windows = [
            (read, *window)
            for read in range(len(trails[0]))
            for window in _windows(kind, [item.reads[read][1] for item in probes], answers, whole=run.vyper)
        ]
        widest = _widest(windows)
        if widest is not None:
            matches.append((output, *widest))
    for output, read, shift, width in matches:
        kind = getter.outputs[output][1]
        path = _generalise(getter, probes, [trail[read] for trail in trails])
        if path is not None:
            root, steps = path
            yield GetterReading(
                getter=getter,
                output=output,
                values=len(matches),
                root=root,
                steps=steps,
                kind=_kind(kind),
                shift=shift,
                width=width,
                text=kind in ("string", "bytes"),
                limit=limit,
            )
    if not matches and len(getter.outputs) == 1 and not run.vyper:
        yield from _packed_readings(getter, limit, probes, trails)


def _words(item: Probe) -> list[int | bytes]:
    return [*(int.from_bytes(data, "big") for data in item.arguments), *item.arguments]


def _widest(windows: list[tuple[int, int, int]]) -> tuple[int, int, int] | None:
    """Return the one read, shift and width that fits; of several in the same place the narrowest."""
    positions = {(read, shift) for read, shift, _ in windows}
    if len(positions) != 1:
        return None
    return min(windows, key=lambda window: window[2])


def _windows(
    kind: str, words: Sequence[int], answers: Sequence[int | bytes], *, whole: bool
) -> Iterator[tuple[int, int]]:
    """Yield each (shift, width) of a word at which the answers always stand."""
    pairs = list(zip(words, answers, strict=True))
    if whole:  # Vyper keeps values as the ABI encodes them
        if all(word == answer for word, answer in pairs):
            yield 0, 256
        return
    if kind in ("string", "bytes"):
        short = [
            (word.to_bytes(32, "big")[: (word & 0xFF) // 2], answer) for word, answer in pairs if not word & 1
        ]
        short = [(text, answer) for text, answer in short if len(text) < 32 and len(text) > 8]
        if len(short) > 1 and all(text == answer for text, answer in short):
            yield 0, 256
        return
    numbers = [(word, answer) for word, answer in pairs if isinstance(answer, int)]
    if len(numbers) != len(pairs):
        return
    for size in _sizes(kind):
        for byte in range(33 - size):
            if all(
                _encode_value(kind, (word >> 8 * byte) & ((1 << 8 * size) - 1), size) == answer
                for word, answer in numbers
            ):
                yield 8 * byte, 8 * size


def _sizes(kind: str) -> Sequence[int]:
    if kind in ("string", "bytes"):  # no value in a part of a slot
        return ()
    if kind == "bool":
        return (1,)
    if kind == "address":
        return (20,)
    if kind.startswith("bytes"):
        return (int(kind[5:]),)
    if kind.startswith("uint"):  # a narrower variable may be returned as a wider number
        return range(int(kind[4:] or 256) // 8, 0, -1)
    return (int(kind[3:] or 256) // 8,) if kind.startswith("int") else ()


def _encode_value(kind: str, value: int, size: int) -> int:
    """Return how the ABI encodes a value of a slot."""
    if kind == "bool":
        return int(value != 0)
    if kind.startswith("bytes"):
        return value << (256 - 8 * size)
    if kind.startswith("int") and value >> (8 * size - 1):
        return value + (1 << 256) - (1 << 8 * size)
    return value


def _kind(kind: str) -> ValueKind:
    if kind == "bool":
        return ValueKind.BOOL
    if kind == "address":
        return ValueKind.ADDRESS
    if kind.startswith("uint"):
        return ValueKind.UINT
    if kind.startswith("int"):
        return ValueKind.INT
    return ValueKind.BYTES


def _generalise(
    getter: Getter, probes: Sequence[Probe], paths: Sequence[_Path], packed: int = 1
) -> tuple[int, tuple[GetterStep, ...]] | None:
    """Return what the paths have in common, if their keys are the getter's arguments, all and in order."""
    steps: list[GetterStep] = []
    root = _affine([path.root for path in paths], probes, 1 if paths[0].links else packed)
    if root is None:
        return None
    base, stride, argument = root
    if argument is not None:
        steps.append(GetterStep("fixed", argument, 0, stride, packed))
    for level in range(len(paths[0].links)):
        links = [path.links[level] for path in paths]
        last = level == len(paths[0].links) - 1
        offset = _affine([link.offset for link in links], probes, packed if last else 1)
        if offset is None:
            return None
        start, stride, argument = offset
        if links[0].key is None:
            if argument is None:
                return None
            steps.append(GetterStep("array", argument, start, stride, packed if last else 1))
            continue
        keys = [link.key for link in links]
        matching = [
            at
            for at in range(len(getter.inputs))
            if all(key == item.arguments[at] for key, item in zip(keys, probes, strict=True))
        ]
        if not matching:
            return None
        steps.append(GetterStep("mapping", matching[0], start if argument is None else 0))
        if argument is not None:
            steps.append(GetterStep("fixed", argument, start, stride, packed if last else 1))
    return (
        (base, tuple(steps)) if [step.argument for step in steps] == list(range(len(getter.inputs))) else None
    )


def _affine(
    numbers: Sequence[int], probes: Sequence[Probe], packed: int
) -> tuple[int, int, int | None] | None:
    """Return (start, stride, argument) with each number = start + stride * that argument; ``None`` if there is none.

    With ``packed`` elements in a slot, the stride is 0 and number = start + argument // packed.
    """
    if len(set(numbers)) == 1 and packed == 1:
        return numbers[0], 0, None
    for at in range(len(probes[0].arguments)):
        values = [int.from_bytes(item.arguments[at], "big") for item in probes]
        if packed > 1:
            starts = {number - value // packed for number, value in zip(numbers, values, strict=True)}
            if len(starts) == 1 and min(starts) >= 0:
                return min(starts), 0, at
            continue
        one, other = values.index(min(values)), values.index(max(values))
        if values[one] == values[other]:
            continue
        stride, rest = divmod(numbers[other] - numbers[one], values[other] - values[one])
        start = numbers[one] - stride * values[one]
        fits = all(number == start + stride * value for number, value in zip(numbers, values, strict=True))
        if not rest and fits and stride > 0 and start >= 0:
            return start, stride, at
    return None


def _packed_readings(
    getter: Getter, limit: int | None, probes: Sequence[Probe], trails: Sequence[Sequence[_Path]]
) -> Iterator[GetterReading]:
    """Find elements of an array of which several share a slot."""
    kind = getter.outputs[0][1]
    for size in _sizes(kind):
        packed = 32 // size
        if packed == 1 or not getter.inputs:
            continue
        for read in range(len(trails[0])):
            path = _generalise(getter, probes, [trail[read] for trail in trails], packed)
            if path is None:
                continue
            index = path[1][-1].argument
            if all(_element(item, read, index, size, kind) == item.values[0] for item in probes):
                yield GetterReading(
                    getter=getter,
                    output=0,
                    values=1,
                    root=path[0],
                    steps=path[1],
                    kind=_kind(kind),
                    shift=-1,
                    width=8 * size,
                    limit=limit,
                )
                return


def _element(item: Probe, read: int, index: int, size: int, kind: str) -> int:
    """Return the element of a packed array that stands where the index points to."""
    position = int.from_bytes(item.arguments[index], "big") % (32 // size)
    return _encode_value(kind, (item.reads[read][1] >> 8 * size * position) & ((1 << 8 * size) - 1), size)
