"""What a reader calls an expression: its operations as signs, its sources by their names."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from specminer.decision.answer_terms import AnswerTerms
from specminer.decision.argument_names import ArgumentNames, ArgumentWord, DataLayout
from specminer.decision.constant_names import digits
from specminer.decision.context_names import ContextNames
from specminer.decision.phrases import (
    MAX_TEXT,
    Origin,
    Phrase,
    Strength,
    join_phrases,
    list_sources,
    together,
)
from specminer.decision.rounding import rounded_up
from specminer.decision.run_values import RunValues
from specminer.decision.storage_terms import StorageTerms
from specminer.decoding.storage_values import ValueKind
from specminer.history.contract_history import MISSING
from specminer.shadow.arena import SOURCES, TRUTHS, Key, Part, operands_of

_MAX_WORD: Final = (1 << 256) - 1
_SMALL_SHIFT: Final = 16
"""A shift by fewer bits is told as a factor."""
_FACTS: Final = {
    # with more bits than they ever have on a chain: to cut them to so many changes nothing
    "sender": ("sender", ValueKind.ADDRESS, 160),
    "origin": ("origin", ValueKind.ADDRESS, 160),
    "this": ("this", ValueKind.ADDRESS, 160),
    "value": ("value", ValueKind.UINT, 128),
    "time": ("now", ValueKind.UINT, 64),
    "block": ("block", ValueKind.UINT, 64),
    "base_fee": ("base fee", ValueKind.UINT, 256),
    "chain": ("chain id", ValueKind.UINT, 256),
    "beneficiary": ("beneficiary", ValueKind.ADDRESS, 160),
    "randomness": ("randomness", ValueKind.WORD, 256),
    "gas_limit": ("gas limit", ValueKind.UINT, 256),
    "gas_price": ("gas price", ValueKind.UINT, 256),
    "blob_base_fee": ("blob base fee", ValueKind.UINT, 256),
    "gas": ("gas left", ValueKind.UINT, 256),
    "data_size": ("calldata size", ValueKind.UINT, 256),
}
_SUBJECT_PHRASES: Final = {
    "code_size": ("code size of {}", ValueKind.UINT),
    "code_hash": ("code hash of {}", ValueKind.BYTES),
    "external_code": ("code of {}", ValueKind.BYTES),
    "block_hash": ("blockhash({})", ValueKind.BYTES),
}
_SIGNS: Final = {
    "sub": ("-", Strength.SUM),
    "mul": ("*", Strength.PRODUCT),
    "div": ("/", Strength.PRODUCT),
    "sdiv": ("/", Strength.PRODUCT),
    "mod": ("%", Strength.PRODUCT),
    "smod": ("%", Strength.PRODUCT),
    "exp": ("**", Strength.POWER),
    "and": ("&", Strength.BITS),
    "or": ("|", Strength.BITS),
    "xor": ("^", Strength.BITS),
    "lt": ("<", Strength.COMPARISON),
    "slt": ("<", Strength.COMPARISON),
    "eq": ("=", Strength.COMPARISON),
}
_PIECE: Final = re.compile(r"(.+)\[([0-9]+):[0-9]+\]", re.DOTALL | re.ASCII)
_UNSIGNED: Final = ("div", "mod", "lt")
"""What reads its operands as numbers without a sign."""
_SHIFTS: Final = {"shl": "<<", "shr": ">>", "sar": ">>"}


class ExpressionTerms:
    """Names the expressions of one function's runs; each is named once."""

    def __init__(self, names: ContextNames, values: RunValues, arguments: ArgumentNames) -> None:
        self._names = names
        self._values = values
        self._arena = values.arena
        self._arguments = arguments
        self._layouts: dict[int, DataLayout] = {}
        self._storage = StorageTerms(names, values, self.phrase, self.bytes_phrase)
        self._answers = AnswerTerms(names, values.arena, self.phrase, self.bytes_phrase)
        self._phrases: dict[int, Phrase] = {}
        self._kinds: dict[str, Callable[[int, Key], Phrase]] = {
            "calldata": self._calldata,
            "storage": lambda node, key: self._storage.word(node),
            "transient": lambda node, key: self._storage.word(node),
            "answer": lambda node, key: self._answers.answer(key[1], key[2]),
            "answer_size": lambda node, key: self._answers.size(key[1]),
            "success": lambda node, key: self._answers.success(key[1]),
            "created": lambda node, key: self._answers.name_creation(key[1]),
            "constant": lambda node, key: self.constant(key[1]),
            "own_balance": lambda node, key: self._balance("this", Origin.NOTHING, key[-1]),
            "balance": self._balance_of,
            "blob_hash": lambda node, key: Phrase(text=f"blob hash {key[1]}", kind=ValueKind.BYTES),
            "field": self._field,
            "shifted": self._name_shifted,
            "iszero": self._iszero,
            "not": self._name_inverted,
            "clz": lambda node, key: self._name_applied("leading zeros", key),
            "add": self._sum,
            "signextend": self._name_extended,
            "byte": self._byte,
            "addmod": lambda node, key: self._modular(key, "+", Strength.SUM),
            "mulmod": lambda node, key: self._modular(key, "*", Strength.PRODUCT),
            "join": lambda node, key: self.bytes_phrase(key[1]),
            "keccak": lambda node, key: self._hash(node, key[1]),
            "opaque": lambda node, key: self._cut(node),
            "unknown": lambda node, key: Phrase(text="an unknown expression", cut=True),
        }

    def phrase(self, node: int) -> Phrase:
        """Return what an expression is called."""
        name = self._phrases.get(node)
        if name is None:
            # operands first, so that nothing is entered deeply
            for item in self._arena.below(node):
                if item not in self._phrases:
                    self._phrases[item] = self._name_bounded(item)
            name = self._phrases[node]
        return name

    def constant(self, value: int, kind: ValueKind = ValueKind.WORD) -> Phrase:
        """Return what a constant is called."""
        if value >> 255 and value > _MAX_WORD - (1 << 128) and kind is not ValueKind.BYTES:
            return Phrase(text=str(value - _MAX_WORD - 1), strength=Strength.SUM, kind=kind)
        return Phrase(text=self._names.constants.text(value, kind), kind=kind, bits=value.bit_length())

    @property
    def answers(self) -> AnswerTerms:
        """What calls of other contracts are called."""
        return self._answers

    def name_stored(self, node: int, shift: int = 0, width: int = 256) -> Phrase:
        """Return what some bits of a word of storage are called."""
        return self._storage.bits(node, shift, width)

    def source_nodes(self, node: int) -> tuple[int, ...]:
        """Return what an expression is made of: its sources, but not those of the places where they are stored."""
        sources: dict[int, None] = {}
        pending = [node]
        visited = {node}
        while pending:
            item = pending.pop()
            key = self._arena.key(item)
            if key[0] in SOURCES:
                sources[item] = None
                continue
            for operand in reversed(operands_of(key)):
                if operand not in visited:
                    visited.add(operand)
                    pending.append(operand)
        return tuple(sources)

    def sources(self, node: int) -> tuple[Phrase, ...]:
        """Return the names of an expression's sources."""
        return tuple(self.phrase(item) for item in self.source_nodes(node))

    def bytes_phrase(self, parts: tuple[Part, ...]) -> Phrase:
        """Return what bytes that are made of expressions are called."""
        text = self._whole_text(parts)
        if text is not None:
            return text
        phrases = self._parts(parts)
        if len(phrases) == 1:
            return phrases[0]
        return Phrase(
            text=", ".join(item.text for item in phrases),
            strength=Strength.OR,
            kind=ValueKind.BYTES,
            origin=together(phrases),
            cut=any(item.cut for item in phrases),
        )

    # -- bounds -------------------------------------------------------------------------------------

    def _name_bounded(self, node: int) -> Phrase:
        key = self._arena.key(node)
        phrase = self._kinds.get(key[0], self._operation)(node, key)
        if key[0] in SOURCES or key[0] in ("constant", "keccak", "opaque"):
            return phrase
        return self._cut(node) if phrase.cut or len(phrase.text) > MAX_TEXT else phrase

    def _cut(self, node: int) -> Phrase:
        sources = self.sources(node)
        return Phrase(
            text=f"an expression of {list_sources(sources)}" if sources else "an unknown expression",
            strength=Strength.OR,
            origin=together(sources),
            cut=True,
        )

    # -- sources ------------------------------------------------------------------------------------

    def _calldata(self, node: int, key: Key) -> Phrase:
        words = {self._word_at(position, key) for position in self._values.samples(node)}
        word = words.pop() if len(words) == 1 else None
        if word is not None:
            return Phrase(
                text=word.name, kind=word.kind, bits=word.bits, origin=Origin.CALL, source=word.source
            )
        text = _piece_of([item.name for item in words if item is not None])
        if text is not None and None not in words:
            return Phrase(text=text, kind=ValueKind.BYTES, origin=Origin.CALL, source=text.partition("[")[0])
        if len(key) == 2:
            text = f"calldata[{key[1]}:{key[1] + 32}]"
        else:
            begin = self.phrase(key[1]).text
            text = f"calldata[{f'{begin} + {key[2]}' if key[2] else begin}]"
        return Phrase(text=text, kind=ValueKind.WORD, origin=Origin.CALL, source="calldata")

    def _offset(self, position: int, key: Key) -> int | None:
        """Return where a word of the calldata stood in a run."""
        if len(key) == 2:
            return int(key[1])
        base = self._values.value(position, key[1])
        return None if base is None else (base + key[2]) % (1 << 256)

    def _word_at(self, position: int, key: Key) -> ArgumentWord | None:
        layout = self._layout(position)
        offset = self._offset(position, key)
        word = None if offset is None else layout.words.get(offset)
        if word is not None or offset is None:
            return word
        text = layout.text_at(offset, 32)
        if text is None:
            return None
        return ArgumentWord(name=text, kind=ValueKind.BYTES, source=text.partition("[")[0])

    def _layout(self, position: int) -> DataLayout:
        layout = self._layouts.get(position)
        if layout is None:
            invocation = self._values.runs[position].invocation
            layout = self._arguments.layout(self._names.history.invocation_data[invocation])
            self._layouts[position] = layout
        return layout

    def _whole_text(self, parts: tuple[Part, ...]) -> Phrase | None:
        """Return the argument whose content some bytes are, if they are one."""
        if not parts or self._arena.kind(parts[0][0]) != "calldata":
            return None
        begin = self._arena.key(parts[0][0])
        size = 0
        for node, first, count in parts:
            key = self._arena.key(node)
            if key[:-1] != begin[:-1] or key[-1] + first != begin[-1] + parts[0][1] + size:
                return None
            size += count
        names = set()
        common_runs = set.intersection(*(set(self._values.samples(node)) for node, _, _ in parts))
        for run in sorted(common_runs):
            start = self._offset(run, begin)
            names.add(None if start is None else self._layout(run).text_at(start + parts[0][1], size))
        texts = {"" if name is None else name.partition("[")[0] for name in names}
        # the same bytes are all of the text in some runs, and a part of a longer one in others
        name = texts.pop() if len(texts) == 1 and texts & names else names.pop() if len(names) == 1 else None
        if name is None:
            return None
        return Phrase(text=name, kind=ValueKind.BYTES, origin=Origin.CALL, source=name.partition("[")[0])

    def _balance(self, owner: str, origin: Origin, version: int | str) -> Phrase:
        later = f" (value {version + 1})" if isinstance(version, int) and version else ""
        name = "this.balance" if owner == "this" else f"balance[{owner}]"
        return Phrase(text=f"{name}{later}", kind=ValueKind.UINT, bits=256, origin=origin | Origin.ANSWER)

    def _balance_of(self, node: int, key: Key) -> Phrase:
        constant = self._arena.constants.get(key[1])
        owner = self.phrase(key[1]) if constant is None else self.constant(constant, ValueKind.ADDRESS)
        return self._balance(owner.text, owner.origin, key[2])

    def _fact(self, key: Key) -> Phrase | None:
        fact = _FACTS.get(key[0])
        if fact is not None:
            text, kind, bits = fact
            return Phrase(text=text, kind=kind, bits=bits, origin=Origin.CALL)
        about = _SUBJECT_PHRASES.get(key[0])
        if about is None:
            return None
        inner = self.phrase(key[1])
        return Phrase(text=about[0].format(inner.text), kind=about[1], origin=inner.origin | Origin.ANSWER)

    # -- operations ---------------------------------------------------------------------------------

    def _operation(self, node: int, key: Key) -> Phrase:
        fact = self._fact(key)
        if fact is not None:
            return fact
        kind = key[0]
        if kind == "div" and self._arena.kind(key[1]) == "storage" and self._is_power(key[2]):
            return self._storage.element(key[1])
        if kind in _SHIFTS:
            return self._by_amount(kind, key)
        left, right = self._operand(key[1], key[2]), self._operand(key[2], key[1])
        if kind in ("and", "or", "xor") and self._is_truth(key[1]) and self._is_truth(key[2]):
            word, strength = {
                "and": ("and", Strength.AND),
                "or": ("or", Strength.OR),
                "xor": ("!=", Strength.COMPARISON),
            }[kind]
            return join_phrases([left, right], word, strength, ValueKind.BOOL)
        sign, strength = _SIGNS[kind]
        truth = kind in TRUTHS
        if kind in _UNSIGNED:
            left, right = self._name_unsigned(key[1], left), self._name_unsigned(key[2], right)
        signed = kind in ("sdiv", "smod") or ValueKind.INT in (left.kind, right.kind)
        result = ValueKind.BOOL if truth else ValueKind.INT if signed else ValueKind.UINT
        phrase = join_phrases([left, right], sign, strength, result)
        return replace(phrase, bits=1) if truth else phrase

    def _is_power(self, node: int) -> bool:
        """Whether a divisor is a power of two or of 256, by which compilers chose one of several elements of a word."""
        key = self._arena.key(node)
        if key[0] == "exp":
            return self._arena.constants.get(key[1]) in (2, 256)
        return bool(key[0] == "shl" and self._arena.constants.get(key[2]) == 1)

    def _operand(self, node: int, neighbour: int) -> Phrase:
        """Return an operand; a constant is read as what stands beside it."""
        value = self._arena.constants.get(node)
        if value is None:
            return self.phrase(node)
        return self.constant(value, self.phrase(neighbour).kind)

    def _name_unsigned(self, node: int, phrase: Phrase) -> Phrase:
        """Return an operand as what takes it reads it: ``2**256 - 1`` instead of ``-1``."""
        value = self._arena.constants.get(node)
        if value is None or not value >> 255:
            return phrase
        return Phrase(text=digits(value), strength=Strength.SUM, kind=ValueKind.UINT)

    def _is_truth(self, node: int) -> bool:
        return self._arena.bits(node) == 1 or self.phrase(node).kind is ValueKind.BOOL

    def _sum(self, node: int, key: Key) -> Phrase:
        quotient = rounded_up(self._arena, key)
        if quotient is not None:
            inner = self.phrase(quotient)
            return replace(inner, text=f"ceil({inner.text})", strength=Strength.ATOM)
        first, second = self.phrase(key[1]), self._operand(key[2], key[1])
        if self._arena.kind(key[2]) in ("time", "block"):
            first, second = second, first
        kind = ValueKind.INT if ValueKind.INT in (first.kind, second.kind) else ValueKind.UINT
        constant = self._arena.constants.get(key[2])
        if constant is not None and constant >> 255:
            less = self.constant(_MAX_WORD + 1 - constant, ValueKind.UINT)
            return join_phrases([first, less], "-", Strength.SUM, kind)
        return join_phrases([first, second], "+", Strength.SUM, kind)

    def _iszero(self, node: int, key: Key) -> Phrase:
        inner = key[1]
        is_nonzero = False
        while self._arena.kind(inner) == "iszero":
            inner, is_nonzero = self._arena.key(inner)[1], not is_nonzero
        phrase = self.phrase(inner)
        if self._is_truth(inner):
            if is_nonzero:
                return replace(phrase, kind=ValueKind.BOOL, bits=1)
            return replace(
                phrase, text=f"not {phrase.within(Strength.ATOM)}", strength=Strength.AND, kind=ValueKind.BOOL
            )
        text = f"{phrase.within(Strength.BITS)} {'!=' if is_nonzero else '='} 0"
        return Phrase(
            text=text,
            strength=Strength.COMPARISON,
            kind=ValueKind.BOOL,
            bits=1,
            origin=phrase.origin,
            cut=phrase.cut,
        )

    def _name_inverted(self, node: int, key: Key) -> Phrase:
        inner = self.phrase(key[1])
        return Phrase(
            text=f"2**256 - 1 - {inner.within(Strength.PRODUCT)}",
            strength=Strength.SUM,
            kind=ValueKind.UINT,
            origin=inner.origin,
            cut=inner.cut,
        )

    def _name_applied(self, word: str, key: Key) -> Phrase:
        inner = self.phrase(key[1])
        return Phrase(text=f"{word}({inner.text})", kind=ValueKind.UINT, origin=inner.origin, cut=inner.cut)

    def _modular(self, key: Key, sign: str, strength: Strength) -> Phrase:
        first, second = (self.phrase(item) for item in key[1:3])
        modulus = self._name_unsigned(key[3], self.phrase(key[3]))
        inner = join_phrases([first, second], sign, strength, ValueKind.UINT)
        return join_phrases([inner, modulus], "%", Strength.PRODUCT, ValueKind.UINT)

    def _by_amount(self, kind: str, key: Key) -> Phrase:
        """Return a shift by an amount that is no constant, or an arithmetic one."""
        amount, inner = self.phrase(key[1]), self.phrase(key[2])
        if kind != "shl" and inner.keys and self._arena.kind(key[2]) == "storage":
            return self._storage.element(key[2])
        return join_phrases([inner, amount], _SHIFTS[kind], Strength.SHIFT, inner.kind)

    # -- parts of words -----------------------------------------------------------------------------

    def _field(self, node: int, key: Key) -> Phrase:
        inner, shift, width = key[1:4]
        kind = self._arena.kind(inner)
        if kind in ("storage", "transient"):
            return self._storage.bits(inner, shift, width)
        phrase = self.phrase(inner)
        if (shift, width) == (1, 255):
            length = self._text_length(inner)
            if length is not None:
                return length
        if kind == "calldata" and self._arena.key(inner)[1] == 0 and (shift, width) == (224, 32):
            return Phrase(text="selector", kind=ValueKind.BYTES, bits=32, origin=Origin.CALL)
        if not shift:
            return self._name_masked(phrase, width)
        if phrase.kind is ValueKind.BYTES and shift + width == 256 and phrase.bits <= width:
            return phrase
        if shift + width == 256 and phrase.kind is not ValueKind.BYTES:
            divisor = str(1 << shift) if shift <= _SMALL_SHIFT else f"2**{shift}"
            return join_phrases([phrase, Phrase(text=divisor)], "/", Strength.PRODUCT, ValueKind.UINT)
        if shift % 8 or width % 8:
            return self._of(phrase, f"[bits {shift} to {shift + width - 1}]", width)
        return self._of(phrase, f"[{32 - (shift + width) // 8}:{32 - shift // 8}]", width)

    def _text_length(self, node: int) -> Phrase | None:
        """Return the length of a stored text, which older compilers take from its slot without branching.

        Of a short one the slot holds twice the length in its lowest byte, of a long one twice the length and one.
        """
        key = self._arena.key(node)
        if key[0] != "and":
            return None
        slot_nodes = [item for item in key[1:3] if self._arena.kind(item) == "storage"]
        others = [item for item in key[1:3] if item not in slot_nodes]
        if len(slot_nodes) != 1 or set(self.source_nodes(others[0])) != set(slot_nodes):
            return None
        phrase = self.phrase(slot_nodes[0])
        return replace(phrase, text=f"length({phrase.text})", kind=ValueKind.UINT, source=phrase.text)

    @staticmethod
    def _of(phrase: Phrase, suffix: str, width: int) -> Phrase:
        return Phrase(
            text=phrase.text if phrase.kind is ValueKind.TEXT else f"{phrase.within(Strength.ATOM)}{suffix}",
            kind=phrase.kind if phrase.kind is ValueKind.TEXT else ValueKind.WORD,
            bits=width,
            origin=phrase.origin,
            cut=phrase.cut,
        )

    def _name_masked(self, phrase: Phrase, width: int) -> Phrase:
        """Return the lowest bits: the same where the type has no more, or where they make an address."""
        if phrase.bits <= width and phrase.kind is not ValueKind.BYTES:
            return phrase
        if width == 160 and phrase.strength is Strength.ATOM:
            kind = ValueKind.ADDRESS if phrase.kind is ValueKind.WORD else phrase.kind
            return replace(phrase, kind=kind, bits=160)
        if phrase.keys and phrase.bits >= width and phrase.kind is ValueKind.WORD:
            return replace(phrase, bits=width)
        if width % 8:
            modulus = Phrase(text=str(1 << width) if width <= _SMALL_SHIFT else f"2**{width}")
            return replace(join_phrases([phrase, modulus], "%", Strength.PRODUCT, ValueKind.UINT), bits=width)
        name = "address" if width == 160 else f"uint{width}"
        return Phrase(
            text=f"{name}({phrase.text})",
            kind=ValueKind.ADDRESS if width == 160 else ValueKind.UINT,
            bits=width,
            origin=phrase.origin,
            cut=phrase.cut,
        )

    def _name_shifted(self, node: int, key: Key) -> Phrase:
        inner, shift = key[1], key[2]
        part = self._arena.key(inner)
        if part[0] == "field" and part[2] == shift and part[2] + part[3] == 256:
            whole = self.phrase(part[1])  # the highest bits, where they were: a value of bytes
            if whole.kind in (ValueKind.BYTES, ValueKind.WORD) and whole.bits in (256, part[3]):
                return replace(whole, kind=ValueKind.BYTES)
        phrase = self.phrase(inner)
        if phrase.kind is ValueKind.TEXT and shift == 8:
            return phrase
        if part[0] == "field" and part[2] == shift and phrase.variable == MISSING:
            mask = ((1 << part[3]) - 1) << shift
            text = str(mask) if mask < 1 << 16 else hex(mask)
            return join_phrases([self.phrase(part[1]), Phrase(text=text)], "&", Strength.BITS, ValueKind.WORD)
        if phrase.kind is ValueKind.BYTES and phrase.bits + shift <= 256 and shift >= 96:
            return phrase
        if shift >= 96:
            return (
                replace(phrase, kind=ValueKind.BYTES)
                if phrase.strength is Strength.ATOM
                else join_phrases([phrase, Phrase(text=str(shift))], "<<", Strength.SHIFT, phrase.kind)
            )
        factor = str(1 << shift) if shift <= _SMALL_SHIFT else f"2**{shift}"
        return join_phrases([phrase, Phrase(text=factor)], "*", Strength.PRODUCT, ValueKind.UINT)

    def _name_extended(self, node: int, key: Key) -> Phrase:
        phrase = self.phrase(key[2])
        size = self._arena.constants.get(key[1])
        part = self._arena.key(key[2])
        if size is not None and part[0] == "storage":
            phrase = self._storage.bits(key[2], 0, 8 * (size + 1))
        elif size is not None and part[0] == "field" and self._arena.kind(part[1]) == "storage":
            # of a shifted word only the bits that matter
            phrase = self._storage.bits(part[1], part[2], min(part[3], 8 * (size + 1)))
        if size is None:
            return join_phrases([self.phrase(key[1]), phrase], "signextend", Strength.OR, ValueKind.INT)
        width = 8 * (size + 1)
        untold = phrase.kind is ValueKind.WORD and width < 256  # whether the word or a part of it is signed
        if phrase.bits <= width and phrase.strength is Strength.ATOM and not untold:
            return replace(phrase, kind=ValueKind.INT)
        return Phrase(
            text=f"int{width}({phrase.text})",
            kind=ValueKind.INT,
            bits=256,
            origin=phrase.origin,
            cut=phrase.cut,
        )

    def _byte(self, node: int, key: Key) -> Phrase:
        index, word = self.phrase(key[1]), self.phrase(key[2])
        return Phrase(
            text=f"{word.within(Strength.ATOM)}[{index.text}]",
            kind=ValueKind.WORD,
            bits=8,
            origin=index.origin | word.origin,
            cut=index.cut or word.cut,
        )

    # -- hashes -------------------------------------------------------------------------------------

    def _parts(self, parts: tuple[Part, ...]) -> list[Phrase]:
        """Return the names of pieces of bytes; zeros before a number are no piece of their own."""
        phrases: list[Phrase] = []
        for index, (node, first, count) in enumerate(parts):
            value = self._arena.constants.get(node)
            if value is not None:
                value = value >> 8 * (32 - first - count) & ((1 << 8 * count) - 1)
                following = index + 1 < len(parts)
                if not value and count < 32 and (following or phrases):
                    continue
                phrases.append(self.constant(value, ValueKind.WORD if count == 32 else ValueKind.UINT))
                continue
            phrase = self.phrase(node)
            if first + count < 32 and phrase.bits > 8 * count:
                phrase = self._of(phrase, f"[{first}:{first + count}]", 8 * count)
            phrases.append(phrase)
        return phrases

    def _hash(self, node: int, parts: tuple[Part, ...]) -> Phrase:
        text = self._whole_text(parts)
        phrases = [text] if text is not None else self._parts(parts)
        names = ", ".join(item.text for item in phrases)
        origin = together(phrases)
        if len(phrases) <= 4 and len(names) <= 60 and not any(item.cut for item in phrases):
            return Phrase(text=f"hash({names})", kind=ValueKind.BYTES, origin=origin)
        sources = self.sources(node)
        return Phrase(
            text=f"hash of {list_sources(sources)}",
            kind=ValueKind.BYTES,
            origin=together(sources),
            source=f"hash of {list_sources(sources)}",
        )


def _piece_of(names: Sequence[str]) -> str | None:
    """Return the 32 bytes of a text that are all of it in some calls and a part in others; ``None`` if they are not."""
    matches = [_PIECE.fullmatch(name) for name in names]
    texts = {name if match is None else match[1] for name, match in zip(names, matches, strict=True)}
    starts = {0 if match is None else int(match[2]) for match in matches}
    if len(texts) != 1 or len(starts) != 1 or not any(matches):
        return None
    start = starts.pop()
    return f"{texts.pop()}[{start}:{start + 32}]"
