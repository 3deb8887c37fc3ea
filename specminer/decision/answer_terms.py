"""What answers of other contracts are called: by the function that was asked, of whom, with which arguments."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from specminer.contracts.artifact import MAX_NAME
from specminer.contracts.usual_signatures import Signature, usual_signatures
from specminer.decision.argument_names import AbiType, read_type, value_kind
from specminer.decision.context_names import ContextNames
from specminer.decision.phrases import Origin, Phrase
from specminer.decoding.storage_values import ValueKind
from specminer.evm.frame import FrameKind
from specminer.shadow.arena import Arena, Part
from specminer.shadow.foreign_calls import ForeignCall

_MAX_OPENED: Final = 1 << 10
MAX_ARGUMENTS: Final = 4
"""Arguments of another contract's function that are shown."""
_PRECOMPILED: Final = {
    2: "sha256",
    3: "ripemd160",
    4: "bytes",
    5: "modexp",
    6: "bn254Add",
    7: "bn254Mul",
    8: "bn254Pairing",
    9: "blake2f",
    10: "kzgPoint",
}
_DELEGATING: Final = (FrameKind.DELEGATECALL, FrameKind.CALLCODE)
_TIMES: Final = ("", " (asked again)")
SIGNER: Final = "signer of "
"""How the phrase of a recovered signer begins."""


class AnswerTerms:
    """The answers that the runs of one function got."""

    def __init__(
        self,
        names: ContextNames,
        arena: Arena,
        phrase: Callable[[int], Phrase],
        parts_phrase: Callable[[tuple[Part, ...]], Phrase],
    ) -> None:
        """Prepare; the functions name an expression, and bytes that are made of expressions."""
        self._names = names
        self._arena = arena
        self._phrase = phrase
        self._parts_phrase = parts_phrase

    def answer(self, number: int, start: int) -> Phrase:
        """Return what a word of an answer is called."""
        call = self._arena.foreign.call(number)
        if call is None:
            return Phrase(text="an answer", origin=Origin.ANSWER, cut=True)
        receiver = self._arena.constants.get(call.to)
        if receiver == 1 and not start:
            return self._signer(call)
        if receiver in _PRECOMPILED:
            inner = self._parts_phrase(call.data) if call.data else Phrase(text="…")
            return Phrase(
                text=f"{_PRECOMPILED[receiver]}({inner.text})", kind=ValueKind.BYTES, origin=inner.origin
            )
        question = self._question(call)
        signature = self._signature(call)
        kind, bits, suffix = _output(signature, start)
        return Phrase(
            text=f"{question.text}{suffix}",
            kind=kind,
            bits=bits,
            origin=Origin.ANSWER,
            source=question.source,
        )

    def success(self, number: int) -> Phrase:
        """Return what it is called whether a call succeeded."""
        return self._about(number, "success of", ValueKind.BOOL, 1)

    def size(self, number: int) -> Phrase:
        """Return what the size of an answer is called."""
        return self._about(number, "answer size of", ValueKind.UINT, 256)

    def name_creation(self, number: int) -> Phrase:
        """Return what a new contract's address is called."""
        call = self._arena.foreign.call(number)
        times = "" if call is None or not call.repetition else f" {call.repetition + 1}"
        return Phrase(text=f"new contract{times}", kind=ValueKind.ADDRESS, bits=160, origin=Origin.ANSWER)

    def question(self, number: int) -> Phrase:
        """Return what a call asks of whom, however often it was asked before."""
        call = self._arena.foreign.call(number)
        if call is None:
            return Phrase(text="another contract", cut=True)
        phrase = self._question(call._replace(repetition=0))
        return replace(phrase, cut="…" in phrase.text)

    def receiver(self, number: int) -> Phrase:
        """Return whom a call is made to."""
        call = self._arena.foreign.call(number)
        if call is None:
            return Phrase(text="another account", cut=True)
        return Phrase(text="new contract" if call.kind.creates else self._receiver(call))

    def _about(self, number: int, words: str, kind: ValueKind, bits: int) -> Phrase:
        call = self._arena.foreign.call(number)
        if call is None:
            return Phrase(text=f"{words} a call", kind=kind, bits=bits, origin=Origin.ANSWER, cut=True)
        question = self._question(call)
        return Phrase(
            text=f"{words} {question.text}",
            kind=kind,
            bits=bits,
            origin=Origin.ANSWER,
            source=question.source,
        )

    def _signer(self, call: ForeignCall) -> Phrase:
        words = self._words(call, 0, 4)
        digest = words[0] if words else Phrase(text="…")
        return Phrase(text=f"{SIGNER}{digest.text}", kind=ValueKind.ADDRESS, bits=160, origin=digest.origin)

    def _question(self, call: ForeignCall) -> Phrase:
        """Return a call as it is written: ``token.balanceOf(this)``."""
        times = f" (asked {call.repetition + 1} times)" if call.repetition > 1 else _TIMES[call.repetition]
        if call.kind.creates:
            return Phrase(text=f"creation{times}")
        receiver = self._receiver(call)
        if not call.size:
            return Phrase(text=f"payment to {receiver}{times}")
        data = call.data
        selector = None if data is None else self._selector(data)
        if selector is None:
            word = "delegatecall" if call.kind in _DELEGATING else "call"
            return Phrase(text=f"{receiver}.{word}(…){times}", source=f"{receiver}.{word}")
        signature = self._signature(call)
        if signature is None:
            return Phrase(
                text=f"{receiver}.0x{selector.hex()}(…){times}", source=f"{receiver}.0x{selector.hex()}"
            )
        arguments = self._arguments(call, signature)
        text = f"{receiver}.{signature.name}({', '.join(arguments)}){times}"
        return Phrase(text=text, source=f"{receiver}.{signature.name}")

    def _receiver(self, call: ForeignCall) -> str:
        constant = self._arena.constants.get(call.to)
        if constant is not None:
            return self._names.constants.text(constant, ValueKind.ADDRESS)
        phrase = self._phrase(call.to)
        return phrase.text if phrase.strength.name == "ATOM" else f"({phrase.text})"

    def _arguments(self, call: ForeignCall, signature: Signature) -> list[str]:
        texts: list[str] = []
        first_word = 0
        for spelling in signature.inputs:
            kind = read_type(spelling)
            if len(texts) == MAX_ARGUMENTS:
                return [*texts, "…"]
            texts.append(self._argument(call, kind, first_word))
            first_word += kind.words or 1
        return texts

    def _argument(self, call: ForeignCall, kind: AbiType, first_word: int) -> str:
        if kind.words != 1 or kind.members or kind.element is not None:
            return "…"
        words = self._words(call, first_word, 1, value_kind(kind.spelling)[0])
        return words[0].text if words else "…"

    def _words(
        self, call: ForeignCall, first_word: int, count: int, kind: ValueKind = ValueKind.WORD
    ) -> list[Phrase]:
        """Return words of a call's data behind the selector; a precompiled contract has none."""
        begin = 0 if self._arena.constants.get(call.to) == 1 else 4
        phrases: list[Phrase] = []
        for number in range(first_word, first_word + count):
            parts = cut_parts(open_parts(self._arena, call.data or ()), begin + 32 * number, 32)
            if sum(part[2] for part in parts) != 32:
                return phrases
            constant = self._constant(parts)
            if constant is not None:
                text = self._names.constants.text(constant, kind)
                phrases.append(Phrase(text=text, kind=kind))
            else:
                phrases.append(self._parts_phrase(parts))
        return phrases

    def _selector(self, data: tuple[Part, ...]) -> bytes | None:
        parts = cut_parts(open_parts(self._arena, data), 0, 4)
        if sum(part[2] for part in parts) != 4:
            return None
        number = self._constant(parts)
        return None if number is None else number.to_bytes(4, "big")

    def _constant(self, parts: tuple[Part, ...]) -> int | None:
        """Return the number that constant bytes are; ``None`` if not all are constant."""
        number = 0
        for node, first, count in parts:
            value = self._arena.constants.get(node)
            if value is None:
                return None
            number = number << 8 * count | value >> 8 * (32 - first - count) & ((1 << 8 * count) - 1)
        return number

    def _signature(self, call: ForeignCall) -> Signature | None:
        selector = None if call.data is None else self._selector(call.data)
        if selector is None:
            return None
        usual = usual_signatures().get(selector)
        if usual is not None:
            return usual
        entry = self._names.entries.get(selector)
        if entry is not None:
            outputs = tuple((item.type, item.name[:MAX_NAME]) for item in entry.outputs)
            inputs = tuple(item.type for item in entry.inputs)
            return Signature(name=entry.name[:MAX_NAME], inputs=inputs, outputs=outputs)
        function = self._names.interface.functions.get(selector)
        if function is None or function.name.startswith("0x"):
            return None
        return Signature(name=function.name, inputs=function.types)


def _output(signature: Signature | None, start: int) -> tuple[ValueKind, int, str]:
    """Return kind and bits of a word of an answer, and what is added to the call's name."""
    outputs = signature.outputs if signature is not None else ()
    index = start // 32
    if start % 32 or index >= len(outputs):
        return ValueKind.WORD, 256, f"[{index}]" if index or start % 32 else ""
    kind, bits = value_kind(outputs[index][0])
    if len(outputs) == 1:
        return kind, bits, ""
    return kind, bits, f".{outputs[index][1]}" if outputs[index][1] else f"[{index}]"


def cut_parts(parts: tuple[Part, ...], start: int, size: int) -> tuple[Part, ...]:
    """Return some of the bytes that parts stand for, as parts."""
    pieces: list[Part] = []
    position = 0
    for node, first, count in parts:
        low, high = max(start, position), min(start + size, position + count)
        if low < high:
            pieces.append((node, first + low - position, high - low))
        position += count
    return tuple(pieces)


def open_parts(arena: Arena, parts: tuple[Part, ...]) -> tuple[Part, ...]:
    """Return bytes as parts of what they were put together from: a selector may share a word with arguments."""
    pieces: list[Part] = []
    pending = list(reversed(parts))
    for _ in range(_MAX_OPENED):
        if not pending:
            break
        part = pending.pop()
        inner = _open_part(arena, part)
        if inner is None:
            if pieces and pieces[-1][0] == part[0] and pieces[-1][1] + pieces[-1][2] == part[1]:
                pieces[-1] = (part[0], pieces[-1][1], pieces[-1][2] + part[2])
            else:
                pieces.append(part)
        else:
            pending += reversed(inner)
    return (*pieces, *reversed(pending))


def _open_part(arena: Arena, part: Part) -> tuple[Part, ...] | None:
    """Return what some bytes of a word are made of; ``None`` if they are its own."""
    node, first, count = part
    key = arena.key(node)
    if key[0] == "join":
        return cut_parts(key[1], first, count)
    if key[0] == "field" and not key[2] % 8 and not key[3] % 8 and first >= 32 - key[3] // 8:
        return ((key[1], first - key[2] // 8, count),)
    if key[0] == "shifted" and not key[2] % 8:
        size = key[2] // 8
        inside = max(0, min(count, 32 - size - first))
        zeros = (arena.constant(0), 0, count - inside)
        return tuple(item for item in ((key[1], first + size, inside), zeros) if item[2])
    if key[0] != "or" or key[2] not in arena.constants:
        return None
    high = 32 - -(-arena.bits(key[1]) // 8)  # bytes that the constant alone has
    if arena.constants[key[2]] & ((1 << 8 * (32 - high)) - 1) or not high:
        return None
    left = (key[2], first, min(count, high - first))
    right = (key[1], max(first, high), first + count - max(first, high))
    return tuple(item for item in (left, right) if item[2] > 0)
