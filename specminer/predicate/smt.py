"""The one door to pySMT and to a solver.

A :class:`Language` owns a private pySMT environment, so the variables of two runs can never clash and
the global environment stays untouched. Variables get neutral internal names (``x0``, ``x1``, ...);
the raw text they are called by lives in their :class:`Declaration` and never enters a formula.

A storage word is an integer in 0 .. 2^256 - 1, whatever its type; a signed one in -2^255 .. 2^255 - 1;
only ``bool`` is Boolean. Integers, not bit-vectors: nothing here computes, so nothing wraps around. No
solver is imported here; pySMT itself looks for one when it is imported, and works without.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cache
from typing import Final, TypeAlias

from pysmt.environment import Environment
from pysmt.exceptions import SolverReturnedUnknownResultError
from pysmt.fnode import FNode
from pysmt.logics import QF_LIA
from pysmt.typing import BOOL, INT

Formula: TypeAlias = FNode
"""A term or formula of one language; compared by identity, as pySMT shares equal nodes."""

WORD_LIMIT: Final = 1 << 256
"""Words are below this."""
SOLVER_TIMEOUT_MS: Final = 5_000
"""After this many milliseconds the solver's silence counts as undecided."""


class FormulaError(ValueError):
    """No formula of the fragment, or a text that is none: a foreign symbol, a word that nothing is called."""


class Sort(Enum):
    """How the constants that a variable is compared with are written."""

    BOOL = "bool"
    NUMBER = "number"
    SIGNED = "signed"
    """An integer with a sign."""
    ADDRESS = "address"
    BYTES = "bytes"
    WORD = "word"
    """Type unknown: short values in decimal, long ones in hexadecimal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration:
    """What a person calls a symbol and how its constants are spelled."""

    name: str
    """Raw text."""
    sort: Sort
    members: tuple[str, ...] = ()
    """Names of the values 0, 1, ... of an enum."""
    history: bool = False
    """It speaks of earlier events, not of storage."""
    context: bool = False
    """It speaks of the call: its sender, origin, value or arguments."""

    @property
    def range(self) -> tuple[int, int]:
        """The least value, and the first one that is too large."""
        half = WORD_LIMIT // 2
        return (-half, half) if self.sort is Sort.SIGNED else (0, WORD_LIMIT)

    def spell(self, value: int) -> str:
        """Return a constant as this variable's type writes it."""
        if 0 <= value < len(self.members):
            return self.members[value]
        if self.sort is Sort.ADDRESS and value > 0:
            return f"0x{value:040x}"
        if value > 0 and (self.sort is Sort.BYTES or (self.sort is Sort.WORD and value >= 1 << 64)):
            return hex(value)
        return str(value)


class Language:
    """The symbols of one run and the formulas over them."""

    def __init__(self) -> None:
        self._environment = Environment()
        self._build = self._environment.formula_manager
        self._declarations: dict[Formula, Declaration] = {}
        self._named: dict[str, Formula] = {}
        self._aliases: dict[str, Formula] = {}

    def declare(self, declaration: Declaration) -> Formula:
        """Return a new symbol; raises ``FormulaError`` if another one has its name."""
        if declaration.name in self._named:
            raise FormulaError(f"expected one symbol a name but '{declaration.name}' is declared twice")
        sort = BOOL if declaration.sort is Sort.BOOL else INT
        symbol = self._build.Symbol(f"x{len(self._declarations)}", sort)
        self._declarations[symbol] = declaration
        self._named[declaration.name] = symbol
        return symbol

    @property
    def names(self) -> tuple[str, ...]:
        """What symbols are called, in the order of their declaration."""
        return tuple(self._named)

    def named(self, name: str) -> Formula | None:
        """Return the symbol of a name or else of an alias, ``None`` if there is none."""
        return self._named.get(name, self._aliases.get(name))

    def is_taken(self, name: str) -> bool:
        """Whether a symbol is called so, or can be read so."""
        return name in self._named or name in self._aliases

    def alias(self, name: str, symbol: Formula) -> None:
        """Let a symbol be read under another name, unless something else is called so; it is never printed."""
        if name not in self._named:
            self._aliases.setdefault(name, symbol)

    def declaration(self, symbol: Formula) -> Declaration:
        """Return what a symbol was declared as; raises ``FormulaError`` for one of another language."""
        try:
            return self._declarations[symbol]
        except KeyError:
            raise FormulaError(f"expected a symbol of this language but got {symbol}") from None

    def symbols(self, formula: Formula) -> tuple[Formula, ...]:
        """Return the symbols that occur in a formula, in the order of their declaration."""
        free = self._environment.fvo.get_free_variables(formula)
        return tuple(symbol for symbol in self._declarations if symbol in free)

    def number(self, value: int) -> Formula:
        """Return an integer constant."""
        return self._build.Int(value)

    def truth(self, value: bool) -> Formula:
        """Return a Boolean constant."""
        return self._build.Bool(value)

    def equal(self, left: Formula, right: Formula) -> Formula:
        """Return ``left = right`` between two words or between two Booleans."""
        if self._environment.stc.get_type(left) == BOOL:
            return self._build.Iff(left, right)
        return self._build.Equals(left, right)

    def less(self, left: Formula, right: Formula) -> Formula:
        """Return ``left < right`` between integers."""
        return self._build.LT(left, right)

    def at_most(self, left: Formula, right: Formula) -> Formula:
        """Return ``left <= right`` between integers."""
        return self._build.LE(left, right)

    def is_boolean(self, formula: Formula) -> bool:
        """Whether a formula is true or false, and no integer."""
        return bool(self._environment.stc.get_type(formula) == BOOL)

    def negation(self, formula: Formula) -> Formula:
        """Return ``not formula``."""
        return self._build.Not(formula)

    def conjunction(self, *formulas: Formula) -> Formula:
        """Return the conjunction; of nothing, true."""
        return self._build.And(*formulas)

    def disjunction(self, *formulas: Formula) -> Formula:
        """Return the disjunction; of nothing, false."""
        return self._build.Or(*formulas)

    def simplified(self, formula: Formula, values: Mapping[Formula, Formula] | None = None) -> Formula:
        """Return the formula with ``values`` put in for symbols, then simplified by pySMT."""
        if values:
            formula = self._environment.substituter.substitute(formula, dict(values))
        return self._environment.simplifier.simplify(formula)

    def equivalent(self, left: Formula, right: Formula) -> bool | None:
        """Whether two formulas hold for the same values; ``None`` without a solver or if undecided."""
        return self.valid(self._build.Iff(left, right))

    def implies(self, premise: Formula, conclusion: Formula) -> bool | None:
        """Whether one formula entails another; ``None`` without a solver or if undecided."""
        return self.valid(self._build.Implies(premise, conclusion))

    def valid(self, formula: Formula) -> bool | None:
        """Whether a formula holds whatever its symbols are; ``None`` without a solver or if undecided."""
        possible = self.satisfiable(self._build.Not(formula))
        return None if possible is None else not possible

    def satisfiable(self, formula: Formula) -> bool | None:
        """Whether some values make a formula true; ``None`` without a solver or if undecided."""
        name = solver_name()
        if name is None:
            return None
        options = {"solver_options": {"timeout": SOLVER_TIMEOUT_MS}} if name == "z3" else {}
        try:
            with self._environment.factory.Solver(name=name, logic=QF_LIA, **options) as solver:
                return bool(solver.solve([*self._bounds(formula), formula]))
        except SolverReturnedUnknownResultError:
            return None

    def _bounds(self, formula: Formula) -> list[Formula]:
        """Return what holds of the symbols of a formula because of their types."""
        bounds = []
        for symbol in self.symbols(formula):
            if symbol.symbol_type() == INT:
                low, high = self._declarations[symbol].range
                bounds += [
                    self._build.LE(self._build.Int(low), symbol),
                    self._build.LT(symbol, self._build.Int(high)),
                ]
        return bounds


@cache
def solver_name() -> str | None:
    """Return the name of an installed solver for linear integer arithmetic, ``z3`` first, or ``None``."""
    names = sorted(Environment().factory.all_solvers(logic=QF_LIA))
    return "z3" if "z3" in names else next(iter(names), None)
