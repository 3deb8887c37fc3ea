"""Draws the variables of a contract from the grammar of guards, and values made of them."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Final

from benchmarks.guard_grammar import (
    ADDRESS,
    BOOL,
    ROLE,
    STAGE,
    STAGES,
    Argument,
    Arithmetic,
    Assignment,
    Constant,
    Context,
    Expression,
    Fact,
    Hint,
    Kind,
    Place,
    Stored,
    Type,
    Variable,
)

SCALES: Final = (1, 1_000, 10**9, 10**18)
MAX_ARGUMENTS: Final = 5
"""With so many a function takes one that it has again, if it has one of the type."""
TRUE: Final = Constant(1, BOOL)
FALSE: Final = Constant(0, BOOL)
_WORDS: Final = (
    "acorn", "amber", "basin", "birch", "cedar", "clove", "coral", "delta", "ember", "fern",
    "flint", "grove", "hazel", "heath", "ivory", "jade", "kelp", "lark", "linen", "maple",
    "moss", "oak", "onyx", "opal", "pearl", "pine", "quartz", "reed", "ridge", "sage",
    "shale", "slate", "spruce", "thorn", "tulip", "umber", "vale", "willow", "yarrow",
)  # fmt: skip
_NAMES: Final = ("given", "wanted", "other", "third", "more")
_AMOUNTS: Final = (256, 256, 256, 128, 96)


class _Layout:
    """Packs scalars as Solidity does."""

    def __init__(self) -> None:
        self.slot, self.shift = 0, 0

    def take(self, kind: Type) -> Place:
        """Return where the next value lies."""
        if self.shift + kind.bits > 256:
            self.slot, self.shift = self.slot + 1, 0
        place = Place(self.slot, self.shift)
        self.shift += kind.bits
        return place

    def whole(self) -> int:
        """Return the next whole slot."""
        self.slot, self.shift = (self.slot + 1 if self.shift else self.slot), 0
        self.slot += 1
        return self.slot - 1


class ValueDrawing:
    """The variables of a contract, and values for the function that is being drawn."""

    def __init__(self, rng: Random) -> None:
        self.rng = rng
        self.scale = rng.choice(SCALES)
        self.words = rng.sample(_WORDS, len(_WORDS))
        self.arguments: list[Argument] = []
        """Of the function at hand."""
        self.payable = False
        """Whether the function at hand looks at the ether that comes with a call."""
        self.variables: dict[str, Variable] = {}
        """By what they are for; their names are words."""
        role = f"{rng.choice(('KEEPER', 'MINTER', 'PILOT', 'AUDITOR'))}_ROLE"
        self.roles = {role: rng.getrandbits(256) | 1 << 255}
        self._declare()

    # -- variables ----------------------------------------------------------------------------------

    def _declare(self) -> None:
        rng, layout = self.rng, _Layout()
        amount = Type(Kind.UINT, rng.choice(_AMOUNTS), Hint.AMOUNT)
        scalars = [
            ("owner", ADDRESS),
            ("stage", STAGE),
            ("flag", BOOL),
            ("since", Type(Kind.UINT, rng.choice((32, 40, 64, 256)), Hint.TIME)),
            ("sinceBlock", Type(Kind.UINT, rng.choice((32, 64, 256)), Hint.BLOCK)),
            ("count", Type(Kind.UINT, rng.choice((8, 16, 32, 256)), Hint.COUNT)),
            ("total", amount),
            ("bound", Type(Kind.UINT, rng.choice(_AMOUNTS), Hint.AMOUNT)),
            ("level", Type(Kind.INT, rng.choice((64, 128, 256)), Hint.COUNT)),
        ]
        rng.shuffle(scalars)
        for role, kind in scalars:
            place = layout.take(kind)
            fields = (("", kind, Place(0, place.shift)),)
            self.variables[role] = Variable(self.words.pop(), place.slot, (), fields)
        wide = Type(Kind.UINT, 256, Hint.AMOUNT)
        key = Type(Kind.UINT, 256, Hint.KEY)
        self._mapping("balances", layout, (ADDRESS,), (("", wide),))
        self._mapping("members", layout, (ADDRESS,), (("", BOOL),))
        self._mapping("allowed", layout, (ADDRESS, ADDRESS), (("", wide),))
        self._mapping("roles", layout, (ROLE, ADDRESS), (("", BOOL),))
        row = [
            (self.words.pop(), ADDRESS),
            (self.words.pop(), Type(Kind.UINT, rng.choice((32, 64)), Hint.TIME)),
            (self.words.pop(), Type(Kind.UINT, rng.choice((8, 16)), Hint.COUNT)),
            (self.words.pop(), BOOL),
            (self.words.pop(), amount),
        ]
        rng.shuffle(row)
        self._mapping("rows", layout, (key,), tuple(row))

    def _mapping(
        self, role: str, layout: _Layout, keys: tuple[Type, ...], fields: Sequence[tuple[str, Type]]
    ) -> None:
        inner = _Layout()
        placed = tuple((name, kind, inner.take(kind)) for name, kind in fields)
        self.variables[role] = Variable(self.words.pop(), layout.whole(), keys, placed)

    def _initial(self) -> list[Assignment]:
        rng = self.rng
        assignments = [
            Assignment(self._stored("owner"), Context(Fact.SENDER)),
            Assignment(self._stored("bound"), self._amount_constant(self._stored("bound").type)),
            Assignment(self._stored("total"), self._amount_constant(self._stored("total").type)),
            Assignment(self._stored("since"), Context(Fact.NOW)),
            Assignment(self._stored("sinceBlock"), Context(Fact.BLOCK)),
            Assignment(self._stored("count"), Constant(rng.randint(0, 5), self._stored("count").type)),
            Assignment(self._stored("level"), Constant(rng.randint(-5, 5), self._stored("level").type)),
            Assignment(self._stored("stage"), Constant(rng.randrange(len(STAGES)), STAGE)),
        ]
        sender = Context(Fact.SENDER)
        return [
            *assignments,
            Assignment(self._stored("roles", (self._role(), sender)), TRUE),
            Assignment(self._stored("members", (sender,)), TRUE),
        ]

    # -- values -------------------------------------------------------------------------------------

    def _stored(self, role: str, keys: tuple[Expression, ...] = (), field: int = 0) -> Stored:
        return Stored(self.variables[role], field, keys)

    def _role(self) -> Constant:
        (value,) = self.roles.values()
        return Constant(value, ROLE)

    def _argument(self, kind: Type) -> Argument:
        """Return an argument of a type: one that is there already, or a new one."""
        same = [item for item in self.arguments if item.type == kind]
        if same and (self.rng.random() < 0.6 or len(self.arguments) >= MAX_ARGUMENTS):
            return self.rng.choice(same)
        return self._new_argument(kind)

    def _new_argument(self, kind: Type) -> Argument:
        made = Argument(f"{_NAMES[len(self.arguments) % len(_NAMES)]}{len(self.arguments)}", kind)
        self.arguments.append(made)
        return made

    def _amount_argument(self) -> Argument:
        return self._argument(Type(Kind.UINT, self.rng.choice(_AMOUNTS), Hint.AMOUNT))

    def _amount_constant(self, kind: Type | None = None) -> Constant:
        value = self.rng.choice((1, 2, 3, 5, 10, 25, 40, 100)) * self.scale
        if self.rng.random() < 0.3:
            value += self.rng.randrange(self.scale)
        bits = 256 if kind is None else kind.bits
        return Constant(value % (1 << (bits - 1)), Type(Kind.UINT, bits, Hint.AMOUNT))

    def _account(self) -> Expression:
        return Context(Fact.SENDER) if self.rng.random() < 0.75 else self._argument(ADDRESS)

    def _amount(self) -> Expression:
        """Return a number that is an amount, other than a constant."""
        rng = self.rng
        pick = rng.random()
        if pick < 0.35:
            return self._amount_argument()
        if pick < 0.45:
            return self._stored(rng.choice(("total", "bound")))
        if pick < 0.6:
            return self._stored("balances", (self._account(),))
        if pick < 0.7:
            return self._row(Hint.AMOUNT)
        if pick < 0.78:
            return self._stored("allowed", (self._argument(ADDRESS), Context(Fact.SENDER)))
        if pick < 0.83:
            return Context(Fact.BALANCE)
        self.payable = True
        return Context(Fact.VALUE)

    def _limit(self) -> Expression:
        """Return what amounts are compared with."""
        rng = self.rng
        pick = rng.random()
        if pick < 0.35:
            return self._amount_constant()
        if pick < 0.8:
            return self._amount()
        left, right = self._amount(), self._amount() if rng.random() < 0.5 else self._amount_constant()
        pick = rng.random()
        if pick < 0.4:
            return Arithmetic("+", left, right)
        if pick < 0.5:
            return Arithmetic("-", left, right)
        factor = Constant(rng.choice((2, 3, 7, 10, 25, 75)), Type(Kind.UINT))
        if pick < 0.7:
            return Arithmetic("*", left, factor)
        if pick < 0.9:
            return Arithmetic(
                "/", Arithmetic("*", left, factor), Constant(rng.choice((10, 100)), Type(Kind.UINT))
            )
        return Arithmetic("*", left, self._stored("count"))

    def _row(self, hint: Hint, kind: Kind = Kind.UINT, key: Expression | None = None) -> Stored:
        rows = self.variables["rows"]
        found = [
            place for place, item in enumerate(rows.fields) if item[1].kind is kind and item[1].hint is hint
        ]
        chosen = key if key is not None else self._argument(rows.keys[0])
        return Stored(rows, self.rng.choice(found), (chosen,))
