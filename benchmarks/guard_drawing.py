"""Draws contracts from the grammar of guards, by a seed."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Final

from benchmarks.guard_grammar import (
    ADDRESS,
    BOOL,
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
    Spot,
    Statement,
    Stored,
    Truth,
    Type,
    Voice,
)
from benchmarks.guard_values import FALSE, TRUE, ValueDrawing

DURATIONS: Final = (1, 30, 60, 900, 3_600, 86_400, 604_800, 2_600_000, 31_536_000, 94_608_000)
"""Seconds, up to three years."""
BLOCKS: Final = (1, 5, 50, 7_200, 50_400)
_ORDERS: Final = ("<", "<=", ">", ">=")
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


class _Drawing(ValueDrawing):
    """One contract while it is drawn."""

    def __init__(self, name: str, rng: Random) -> None:
        super().__init__(rng)
        self.name = name
        self.checks = 0

    def contract(self) -> Contract:
        """Draw everything."""
        count = self.rng.randint(3, 5)
        functions = [self._function(f"do{self.words.pop().capitalize()}") for _ in range(count)]
        functions += [self._opener(), self._settler()]
        return Contract(
            name=self.name,
            variables=tuple(self.variables.values()),
            functions=tuple(functions),
            initial=tuple(self._initial()),
            scale=self.scale,
            roles=self.roles,
        )

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
        weights: dict[Callable[[], Condition], int] = {
            self._of_amounts: 6,
            self._of_sender: 4,
            self._of_stage: 2,
            self._of_truth: 3,
            self._of_time: 5,
            self._of_block: 1,
            self._of_count: 2,
            self._of_signed: 3,
            self._of_length: 2,
            self._of_remainder: 1,
        }
        (draw,) = rng.choices(list(weights), list(weights.values()))
        return draw()

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
            return Truth(self._stored("roles", (self._role(), self._account())))
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
            return Assignment(self._stored("flag"), rng.choice((TRUE, FALSE)))
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
        rows = self.variables["rows"]
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
            granted = self._stored("roles", (self._role(), self._argument(ADDRESS)))
            body.append(Assignment(granted, self._argument(BOOL)))
        return Function("settle", tuple(self.arguments), self.payable, tuple(body))
