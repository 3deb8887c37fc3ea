"""Draws contracts from the grammar of guards, by a seed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
    Branch,
    Check,
    Comparison,
    Condition,
    Constant,
    Context,
    Contract,
    Expression,
    Fact,
    Function,
    Hint,
    Junction,
    Kind,
    Length,
    Place,
    Spot,
    Statement,
    Stored,
    Truth,
    Type,
    Variable,
    Voice,
)

SCALES: Final = (1, 1_000, 10**9, 10**18)
DURATIONS: Final = (1, 30, 60, 900, 3_600, 86_400, 604_800, 2_600_000, 31_536_000, 94_608_000)
"""Seconds, up to three years."""
BLOCKS: Final = (1, 5, 50, 7_200, 50_400)
MAX_ARGUMENTS: Final = 5
"""With so many a function takes one that it has again, if it has one of the type."""
KEYS: Final = 4
"""Rows under a number are 0 to this."""
_WORDS: Final = (
    *(
        "acorn",
        "amber",
        "basin",
        "birch",
        "cedar",
        "clove",
        "coral",
        "delta",
        "ember",
        "fern",
        "flint",
        "grove",
        "hazel",
    ),
    *(
        "heath",
        "ivory",
        "jade",
        "kelp",
        "lark",
        "linen",
        "maple",
        "moss",
        "oak",
        "onyx",
        "opal",
        "pearl",
        "pine",
    ),
    *(
        "quartz",
        "reed",
        "ridge",
        "sage",
        "shale",
        "slate",
        "spruce",
        "thorn",
        "tulip",
        "umber",
        "vale",
        "willow",
    ),
    "yarrow",
)
_NAMES: Final = ("given", "wanted", "other", "third", "more")
_ORDERS: Final = ("<", "<=", ">", ">=")
_AMOUNTS: Final = (256, 256, 256, 128, 96)
_VOICES: Final = (
    Voice.TEXT,
    Voice.TEXT,
    Voice.ERROR,
    Voice.ERROR,
    Voice.ERROR_VALUE,
    Voice.NOTHING,
    Voice.ASSERT,
)
_SPOTS: Final = (Spot.INLINE, Spot.INLINE, Spot.INLINE, Spot.MODIFIER, Spot.INTERNAL)


def draw_contract(name: str, seed: int) -> Contract:
    """Return a contract; the same name and seed give the same one."""
    return _Drawing(name, Random(f"{name} {seed}")).contract()


class _Layout:
    """Packs scalars as Solidity does."""

    def __init__(self, first: int = 0) -> None:
        self.slot, self.shift = first, 0

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


class _Drawing:
    """One contract while it is drawn."""

    def __init__(self, name: str, rng: Random) -> None:
        self.rng = rng
        self.name = name
        self.scale = rng.choice(SCALES)
        self.words = rng.sample(_WORDS, len(_WORDS))
        self.checks = 0
        self.arguments: list[Argument] = []
        self.payable = False
        self.variables: list[Variable] = []
        self.by_name: dict[str, Variable] = {}
        role = f"{rng.choice(('KEEPER', 'MINTER', 'PILOT', 'AUDITOR'))}_ROLE"
        self.roles = {role: rng.getrandbits(256) | 1 << 255}
        self._declare()

    def contract(self) -> Contract:
        """Draw everything."""
        count = self.rng.randint(3, 5)
        functions = [self._function(f"do{self.words.pop().capitalize()}") for _ in range(count)]
        functions += [self._opener(), self._settler()]
        return Contract(
            name=self.name,
            variables=tuple(self.variables),
            functions=tuple(functions),
            initial=tuple(self._initial()),
            scale=self.scale,
            roles=self.roles,
        )

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
            self._add(role, Variable(self.words.pop(), place.slot, (), (("", kind, Place(0, place.shift)),)))
        wide = Type(Kind.UINT, 256, Hint.AMOUNT)
        key = Type(Kind.UINT, 256, Hint.KEY)
        self._mapping("balances", layout, (ADDRESS,), (("", wide),))
        self._mapping("members", layout, (ADDRESS,), (("", BOOL),))
        self._mapping("allowed", layout, (ADDRESS, ADDRESS), (("", wide),))
        self._mapping("roles", layout, (ROLE, ADDRESS), (("", BOOL),))
        fields = [
            (self.words.pop(), ADDRESS),
            (self.words.pop(), Type(Kind.UINT, rng.choice((32, 64)), Hint.TIME)),
            (self.words.pop(), Type(Kind.UINT, rng.choice((8, 16)), Hint.COUNT)),
            (self.words.pop(), BOOL),
            (self.words.pop(), amount),
        ]
        rng.shuffle(fields)
        self._mapping("rows", layout, (key,), tuple(fields))

    def _mapping(
        self, role: str, layout: _Layout, keys: tuple[Type, ...], fields: Sequence[tuple[str, Type]]
    ) -> None:
        inner = _Layout()
        placed = tuple((name, kind, inner.take(kind)) for name, kind in fields)
        self._add(role, Variable(self.words.pop(), layout.whole(), keys, placed))

    def _add(self, role: str, variable: Variable) -> None:
        self.variables.append(variable)
        self.by_name[role] = variable

    def _initial(self) -> list[Assignment]:
        rng = self.rng
        found = [
            Assignment(self._stored("owner"), Context(Fact.SENDER)),
            Assignment(self._stored("bound"), self._amount_constant(self._stored("bound").type)),
            Assignment(self._stored("total"), self._amount_constant(self._stored("total").type)),
            Assignment(self._stored("since"), Context(Fact.NOW)),
            Assignment(self._stored("sinceBlock"), Context(Fact.BLOCK)),
            Assignment(self._stored("count"), Constant(rng.randint(0, 5), self._stored("count").type)),
            Assignment(self._stored("level"), Constant(rng.randint(-5, 5), self._stored("level").type)),
            Assignment(self._stored("stage"), Constant(rng.randrange(len(STAGES)), STAGE)),
        ]
        (role,) = self.roles.values()
        found.append(Assignment(self._stored("roles", (Constant(role, ROLE), Context(Fact.SENDER))), _TRUE))
        found.append(Assignment(self._stored("members", (Context(Fact.SENDER),)), _TRUE))
        return found

    # -- values -------------------------------------------------------------------------------------

    def _stored(self, role: str, keys: tuple[Expression, ...] = (), field: int = 0) -> Stored:
        return Stored(self.by_name[role], field, keys)

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
        return self._argument(Type(Kind.UINT, self.rng.choice((256, 256, 256, 128, 96)), Hint.AMOUNT))

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
        rows = self.by_name["rows"]
        found = [
            place for place, item in enumerate(rows.fields) if item[1].kind is kind and item[1].hint is hint
        ]
        chosen = key if key is not None else self._argument(rows.keys[0])
        return Stored(rows, self.rng.choice(found), (chosen,))

    # -- conditions ---------------------------------------------------------------------------------

    def condition(self, depth: int = 0) -> Condition:
        """Return a condition."""
        rng = self.rng
        pick = rng.random()
        if depth < 2 and pick < 0.1:
            return Junction("and", tuple(self.condition(depth + 1) for _ in range(2)))
        if depth < 2 and pick < 0.22:
            count = rng.choice((2, 2, 3))
            return Junction("or", tuple(self.condition(depth + 1) for _ in range(count)))
        made = (
            (self._of_amounts, 6),
            (self._of_sender, 4),
            (self._of_stage, 2),
            (self._of_truth, 3),
            (self._of_time, 5),
            (self._of_block, 1),
            (self._of_count, 2),
            (self._of_signed, 3),
            (self._of_length, 2),
            (self._of_remainder, 1),
        )
        kinds: list[Callable[[], Condition]] = [item[0] for item in made]
        return rng.choices(kinds, [item[1] for item in made])[0]()

    def _of_amounts(self) -> Condition:
        left, right = self._amount(), self._limit()
        while left == right:
            right = self._limit()
        signs = _ORDERS if self.rng.random() < 0.85 else ("!=", "=")
        sign = self.rng.choice(signs)
        if sign == "=" and not isinstance(right, Stored | Argument):
            sign = "!="
        return Comparison(sign, left, right)

    def _of_sender(self) -> Condition:
        rng = self.rng
        sender = Context(Fact.SENDER)
        pick = rng.random()
        if pick < 0.35:
            return Comparison(rng.choice(("=", "=", "!=")), self._stored("owner"), sender)
        if pick < 0.6:
            return Comparison(rng.choice(("=", "=", "!=")), self._row(Hint.NONE, Kind.ADDRESS), sender)
        if pick < 0.75:
            return Truth(self._stored("members", (self._account(),)), holds=rng.random() < 0.7)
        if pick < 0.9:
            (role,) = self.roles.values()
            return Truth(self._stored("roles", (Constant(role, ROLE), self._account())))
        return Comparison("!=", self._argument(ADDRESS), rng.choice((Constant(0, ADDRESS), sender)))

    def _of_stage(self) -> Condition:
        sign = self.rng.choice(("=", "!=", "!=", "<", ">="))
        value = self.rng.randrange(1, len(STAGES)) if sign in ("<", ">=") else self.rng.randrange(len(STAGES))
        return Comparison(sign, self._stored("stage"), Constant(value, STAGE))

    def _of_truth(self) -> Condition:
        holds = self.rng.random() < 0.5
        if self.rng.random() < 0.5:
            return Truth(self._stored("flag"), holds)
        return Truth(self._row(Hint.NONE, Kind.BOOL), holds)

    def _of_time(self) -> Condition:
        rng = self.rng
        moment: Expression = self._stored("since") if rng.random() < 0.5 else self._row(Hint.TIME)
        now, duration = Context(Fact.NOW), Constant(rng.choice(DURATIONS), Type(Kind.UINT, 256, Hint.TIME))
        sign = rng.choice(_ORDERS)
        pick = rng.random()
        if pick < 0.35:
            return Comparison(sign, now, moment)
        if pick < 0.75:
            return Comparison(sign, now, Arithmetic("+", moment, duration))
        if moment == self._stored("since"):
            return Comparison(sign, Arithmetic("-", now, moment), duration)
        return Comparison(sign, Arithmetic("+", now, duration), moment)

    def _of_block(self) -> Condition:
        span = Constant(self.rng.choice(BLOCKS), Type(Kind.UINT, 256, Hint.BLOCK))
        late = Arithmetic("+", self._stored("sinceBlock"), span)
        return Comparison(self.rng.choice(_ORDERS), Context(Fact.BLOCK), late)

    def _of_count(self) -> Condition:
        rng = self.rng
        small = Constant(rng.randint(1, 6), Type(Kind.UINT, 256, Hint.COUNT))
        counted: Expression = rng.choice((self._stored("count"), self._row(Hint.COUNT)))
        if rng.random() < 0.3:
            return Comparison(rng.choice(_ORDERS), self._argument(Type(Kind.UINT, 8, Hint.COUNT)), counted)
        return Comparison(rng.choice((*_ORDERS, "!=")), counted, small)

    def _of_signed(self) -> Condition:
        rng = self.rng
        level = self._stored("level")
        by = self._argument(Type(Kind.INT, rng.choice((64, 128, 256)), Hint.COUNT))
        least = Constant(rng.randint(-8, 8), Type(Kind.INT, 256, Hint.COUNT))
        sign = rng.choice(_ORDERS)
        pick = rng.random()
        if pick < 0.3:
            return Comparison(sign, by, least)
        if pick < 0.6:
            return Comparison(sign, by, level)
        if pick < 0.75:
            return Comparison(sign, level, least)
        return Comparison(sign, Arithmetic(rng.choice("+-"), level, by), least)

    def _of_length(self) -> Condition:
        rng = self.rng
        length = Length(self._argument(Type(rng.choice((Kind.BYTES, Kind.LIST)))))
        pick = rng.random()
        if pick < 0.4:
            return Comparison(
                rng.choice(("<", "<=")), length, Constant(rng.choice((3, 4, 8)), Type(Kind.UINT))
            )
        if pick < 0.6:
            return Comparison(">", length, Constant(0, Type(Kind.UINT)))
        if pick < 0.8:
            return Comparison("<=", length, self._stored("count"))
        return Comparison("=", length, Length(self._new_argument(Type(Kind.LIST))))

    def _of_remainder(self) -> Condition:
        amount = self._amount_argument()
        modulus = Constant(self.rng.choice((2, 3, 10)), Type(Kind.UINT))
        rest = Constant(self.rng.randint(0, 1), Type(Kind.UINT))
        return Comparison(self.rng.choice(("=", "!=")), Arithmetic("%", amount, modulus), rest)

    # -- functions ----------------------------------------------------------------------------------

    def _check(self, condition: Condition, *, inner: bool = False) -> Check:
        self.checks += 1
        spot = Spot.INLINE if inner else self.rng.choice(_SPOTS)
        return Check(condition, self.rng.choice(_VOICES), spot, self.checks)

    def _function(self, name: str) -> Function:
        rng = self.rng
        self.arguments, self.payable = [], rng.random() < 0.15
        body: list[Statement] = [self._check(self.condition()) for _ in range(rng.choice((1, 1, 2, 2, 3)))]
        if rng.random() < 0.25:
            then: tuple[Statement, ...] = (self._check(self.condition(1), inner=True),)
            otherwise = (self._check(self.condition(1), inner=True),) if rng.random() < 0.4 else ()
            body.insert(rng.randint(0, len(body)), Branch(self.condition(1), then, otherwise))
        body += [self._effect() for _ in range(rng.randint(1, 3))]
        if rng.random() < 0.15:
            body[-1] = Branch(self.condition(2), (body[-1],))
        return Function(name, tuple(self.arguments), self.payable, tuple(body))

    def _effect(self) -> Assignment:
        rng = self.rng
        pick = rng.randrange(9)
        if pick == 0:
            return Assignment(self._stored("stage"), Constant(rng.randrange(len(STAGES)), STAGE))
        if pick == 1:
            return Assignment(self._stored("flag"), rng.choice((_TRUE, _FALSE)))
        if pick == 2:
            return Assignment(self._stored("since"), Context(Fact.NOW))
        if pick == 3:
            return Assignment(self._stored("sinceBlock"), Context(Fact.BLOCK))
        if pick == 4:
            return Assignment(self._stored("count"), self._new_argument(Type(Kind.UINT, 8, Hint.COUNT)))
        if pick == 5:
            return Assignment(self._stored("level"), self._argument(Type(Kind.INT, 64, Hint.COUNT)))
        amount = (
            self._argument(Type(Kind.UINT, 96, Hint.AMOUNT))
            if rng.random() < 0.6
            else self._amount_constant()
        )
        if pick == 6:
            return Assignment(self._stored(rng.choice(("total", "bound"))), amount)
        row = self._stored("balances", (self._account(),))
        return Assignment(row, Arithmetic(rng.choice("+-+"), row, amount) if rng.random() < 0.7 else amount)

    def _opener(self) -> Function:
        """Return a function with few checks that writes what others look at."""
        rng = self.rng
        self.arguments, self.payable = [], True
        rows = self.by_name["rows"]
        key = self._argument(rows.keys[0])
        body: list[Statement] = [self._check(self.condition(2))] if rng.random() < 0.5 else []
        for place, (_, kind, _) in enumerate(rows.fields):
            value: Expression
            if kind == ADDRESS:
                value = Context(Fact.SENDER)
            elif kind == BOOL:
                value = self._argument(BOOL)
            elif kind.hint is Hint.TIME:
                span = Constant(rng.choice(DURATIONS[:-1]), Type(Kind.UINT, 256, Hint.TIME))
                value = Arithmetic("+", Context(Fact.NOW), span)
            else:
                value = self._argument(Type(Kind.UINT, 8 if kind.hint is Hint.COUNT else 96, kind.hint))
            body.append(Assignment(Stored(rows, place, (key,)), value))
        return Function("open", tuple(self.arguments), self.payable, tuple(body))

    def _settler(self) -> Function:
        """Return a function with few checks that writes what belongs to the contract and its accounts."""
        rng = self.rng
        self.arguments, self.payable = [], False
        body: list[Statement] = [self._check(self.condition(2))] if rng.random() < 0.5 else []
        sender, amount = Context(Fact.SENDER), self._argument(Type(Kind.UINT, 96, Hint.AMOUNT))
        body.append(Assignment(self._stored("allowed", (sender, self._argument(ADDRESS))), amount))
        body.append(Assignment(self._stored("balances", (sender,)), amount))
        body.append(Assignment(self._stored("members", (sender,)), self._argument(BOOL)))
        body.append(Assignment(self._stored("stage"), self._argument(STAGE)))
        body.append(Assignment(self._stored("flag"), self._argument(BOOL)))
        if rng.random() < 0.5:
            (role,) = self.roles.values()
            granted = self._stored("roles", (Constant(role, ROLE), self._argument(ADDRESS)))
            body.append(Assignment(granted, self._argument(BOOL)))
        return Function("settle", tuple(self.arguments), self.payable, tuple(body))


_TRUE: Final = Constant(1, BOOL)
_FALSE: Final = Constant(0, BOOL)
