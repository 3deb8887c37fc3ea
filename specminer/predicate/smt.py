"""The one door to pySMT and to a solver.

A :class:`Language` owns a private pySMT environment, so the variables of two runs can never clash and
the global environment stays untouched. Variables get neutral internal names (``x0``, ``x1``, ...);
the raw text they are called by lives in their :class:`Declaration` and never enters a formula.

A storage word is an integer in 0 .. 2^256 - 1, whatever its type; a signed one in -2^255 .. 2^255 - 1;
only ``bool`` is Boolean. Integers, not bit-vectors: nothing here computes, so nothing wraps around. No
solver is imported here; pySMT itself looks for one when it is imported, and works without.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cache, lru_cache, partial
from io import StringIO
from typing import Any, Final, TypeAlias

from pysmt import operators as op
from pysmt.environment import Environment
from pysmt.exceptions import InternalSolverError, PysmtException, SolverReturnedUnknownResultError
from pysmt.fnode import FNode
from pysmt.logics import QF_LIA, QF_NIA, Logic, get_closer_logic
from pysmt.smtlib.parser import SmtLibParser
from pysmt.typing import BOOL, INT

from specminer.decoding.storage_values import short_text
from specminer.predicate.syntax import assertion, declaration
from specminer.specification import SymbolSort

Formula: TypeAlias = FNode
"""A term or formula of one language; compared by identity, as pySMT shares equal nodes."""

WORD_LIMIT: Final = 1 << 256
"""Words are below this."""
SOLVER_LIMIT: Final = 2_000_000
"""What a query may cost in the solver's own count, so that results do not depend on the machine."""
SOLVER_TIMEOUT_MS: Final = 30_000
"""The backstop: after this many milliseconds the solver's silence counts as undecided."""
MAX_SCRIPT: Final = 200_000
"""Characters of an SMT-LIB script that is read."""
MAX_NESTING: Final = 200
"""Parentheses in one another in a script."""


class _DeferredService:
    """Stands for a service; the first question makes it."""

    def __init__(self, create: Callable[[Environment], Any], environment: Environment) -> None:
        self._create = create
        self._environment = environment

    def __getattr__(self, name: str) -> Any:
        if "_service" not in self.__dict__:
            self._service = self._create(self._environment)
        return getattr(self._service, name)


def _deferred(create: Callable[[Environment], Any]) -> Any:
    return staticmethod(partial(_DeferredService, create))


class FormulaEnvironment(Environment):  # type: ignore[misc]  # pySMT has no types
    """pySMT's environment, whose services are made when they are first asked for.

    Each service prepares a table of all kinds of nodes. Most languages never simplify, print or measure a formula, and
    whoever follows a chain makes some languages for each block.
    """

    SimplifierClass = _deferred(Environment.SimplifierClass)
    SubstituterClass = _deferred(Environment.SubstituterClass)
    HRSerializerClass = _deferred(Environment.HRSerializerClass)
    QuantifierOracleClass = _deferred(Environment.QuantifierOracleClass)
    TheoryOracleClass = _deferred(Environment.TheoryOracleClass)
    FreeVarsOracleClass = _deferred(Environment.FreeVarsOracleClass)
    SizeOracleClass = _deferred(Environment.SizeOracleClass)
    AtomsOracleClass = _deferred(Environment.AtomsOracleClass)
    TypesOracleClass = _deferred(Environment.TypesOracleClass)


class FormulaError(ValueError):
    """No formula of the fragment, or a text that is none: a foreign symbol, a word that nothing is called."""


class FormulaSort(Enum):
    """How the constants that a variable is compared with are written."""

    BOOL = "bool"
    NUMBER = "number"
    SIGNED = "signed"
    """An integer with a sign."""
    ADDRESS = "address"
    BYTES = "bytes"
    TEXT = "text"
    """A slot with a text of up to 31 bytes, or the length of a longer one."""
    WORD = "word"
    """Type unknown: short values in decimal, long ones in hexadecimal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration:
    """What a person calls a symbol and how its constants are spelled."""

    name: str
    """Raw text."""
    sort: FormulaSort
    members: tuple[str, ...] = ()
    """Names of the values 0, 1, ... of an enum."""
    history: bool = False
    """It speaks of earlier events, not of storage."""
    context: bool = False
    """It speaks of the call: its sender, origin, value or arguments."""
    expression: bool = False
    """Its name is an expression, which is printed as it stands and never read."""

    @property
    def range(self) -> tuple[int, int]:
        """The least value, and the first one that is too large."""
        half = WORD_LIMIT // 2
        return (-half, half) if self.sort is FormulaSort.SIGNED else (0, WORD_LIMIT)

    def spell(self, value: int) -> str:
        """Return a constant as this variable's type writes it."""
        if 0 <= value < len(self.members):
            return self.members[value]
        if self.sort is FormulaSort.ADDRESS and value > 0:
            return f"0x{value:040x}"
        stored_text = short_text(value) if self.sort is FormulaSort.TEXT and 0 <= value < WORD_LIMIT else None
        if stored_text is not None:
            return quoted_text(stored_text)
        if value > 0 and (
            self.sort is FormulaSort.BYTES
            or (self.sort in (FormulaSort.WORD, FormulaSort.TEXT) and value >= 1 << 64)
        ):
            return hex(value)
        return str(value)


def quoted_text(text: str) -> str:
    """Return a text as it stands in a formula: in quotes, with escapes for quotes, bars and what cannot be seen."""
    return '"' + "".join(map(_escape, text)) + '"'


def _escape(char: str) -> str:
    if char in '"\\':
        return f"\\{char}"
    # a bar stands between the alternatives of a definition
    return char if char.isprintable() and char != "|" else f"\\u{{{ord(char):x}}}"


class Language:
    """The symbols of one run and the formulas over them."""

    def __init__(self) -> None:
        self._environment = FormulaEnvironment()
        self._build = self._environment.formula_manager
        self._declarations: dict[Formula, Declaration] = {}
        self._symbols: dict[str, Formula] = {}
        self._aliases: dict[str, Formula] = {}

    def declare(self, declaration: Declaration) -> Formula:
        """Return a new symbol; raises ``FormulaError`` if another one has its name."""
        if declaration.name in self._symbols:
            raise FormulaError(f"expected one symbol a name but '{declaration.name}' is declared twice")
        sort = BOOL if declaration.sort is FormulaSort.BOOL else INT
        symbol = self._build.Symbol(f"x{len(self._declarations)}", sort)
        self._declarations[symbol] = declaration
        self._symbols[declaration.name] = symbol
        return symbol

    @property
    def names(self) -> tuple[str, ...]:
        """What symbols are called, in the order of their declaration."""
        return tuple(self._symbols)

    def find(self, name: str) -> Formula | None:
        """Return the symbol of a name or else of an alias, ``None`` if there is none."""
        return self._symbols.get(name, self._aliases.get(name))

    def is_taken(self, name: str) -> bool:
        """Whether a symbol is called so, or can be read so."""
        return name in self._symbols or name in self._aliases

    def alias(self, name: str, symbol: Formula) -> None:
        """Let a symbol be read under another name, unless something else is called so; it is never printed."""
        if name not in self._symbols:
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

    def times(self, *terms: Formula) -> Formula:
        """Return the product of integers; it is no word and does not wrap around."""
        return self._build.Times(*terms)

    def plus(self, *terms: Formula) -> Formula:
        """Return the sum of integers; it is no word and does not wrap around."""
        return self._build.Plus(*terms)

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

    def simplify(self, formula: Formula, values: Mapping[Formula, Formula] | None = None) -> Formula:
        """Return the formula with ``values`` put in for symbols, then simplified by pySMT."""
        if values:
            formula = self._environment.substituter.substitute(formula, dict(values))
        return self._environment.simplifier.simplify(formula)

    def translate(self, formula: Formula, symbols: Mapping[Formula, Formula]) -> Formula:
        """Return a formula of another language in this one, with this one's ``symbols`` for those of the other.

        Raises:
            FormulaError: a symbol that has none here, or an operator outside the fragment.

        """
        if formula.is_symbol():
            try:
                return symbols[formula]
            except KeyError:
                raise FormulaError(f"expected a symbol that is known here but got {formula}") from None
        if formula.is_bool_constant():
            return self.truth(bool(formula.is_true()))
        if formula.is_int_constant():
            return self.number(int(formula.constant_value()))
        parts = [self.translate(part, symbols) for part in formula.args()]
        build = {
            op.NOT: self._build.Not,
            op.AND: self._build.And,
            op.OR: self._build.Or,
            op.IMPLIES: self._build.Implies,
            op.IFF: self._build.Iff,
            op.EQUALS: self._build.Equals,
            op.LT: self._build.LT,
            op.LE: self._build.LE,
            op.PLUS: self._build.Plus,
            op.TIMES: self._build.Times,
        }.get(formula.node_type())
        if build is None:
            raise FormulaError(f"expected an operator of the fragment but got {formula}")
        return build(*parts)

    def equivalent(self, left: Formula, right: Formula) -> bool | None:
        """Whether two formulas hold for the same values; ``None`` without a solver or if undecided."""
        return self.valid(self._build.Iff(left, right))

    def valid(self, formula: Formula) -> bool | None:
        """Whether a formula holds whatever its symbols are; ``None`` without a solver or if undecided."""
        possible = self.satisfiable(self._build.Not(formula))
        return None if possible is None else not possible

    def satisfiable(self, formula: Formula) -> bool | None:
        """Whether some values make a formula true; ``None`` without a solver or if undecided."""
        if solver_name() is None:
            return None
        try:
            with self._solver(formula) as solver:
                solver.add_assertion(formula)
                return bool(solver.solve())
        except (SolverReturnedUnknownResultError, InternalSolverError):
            return None

    def example(self, formula: Formula) -> dict[str, int | bool] | None:
        """Return values by name that make a formula true; ``None`` if there are none, or it is not known.

        Each symbol in turn gets the first small or mentioned value that is possible, so that the example does not
        depend on the solver's search; a symbol for which none of these is possible is left out.
        """
        if not self.satisfiable(formula):
            return None
        assignment: dict[str, int | bool] = {}
        values = {
            0,
            1,
            2,
            *(value + step for value in self._mentioned_symbols(formula) for step in (-1, 0, 1)),
        }
        with self._solver(formula) as solver:
            solver.add_assertion(formula)
            for symbol in self.symbols(formula):
                boolean = self.is_boolean(symbol)
                for value in (0, 1) if boolean else sorted(value for value in values if value >= 0):
                    equation = self.equal(symbol, self.truth(bool(value)) if boolean else self.number(value))
                    if self._possible(solver, equation):
                        assignment[self._declarations[symbol].name] = bool(value) if boolean else value
                        solver.add_assertion(equation)
                        values |= {value + 1}
                        break
        return assignment

    def _solver(self, formula: Formula) -> Any:
        """Return a solver that knows what types say of the symbols of a formula; there must be one."""
        solver = _new_solver(self._environment, formula)
        for bound in self._bounds(formula):
            solver.add_assertion(bound)
        return solver

    @staticmethod
    def _possible(solver: Any, fixed: Formula) -> bool:
        try:
            solver.push()
            solver.add_assertion(fixed)
            return bool(solver.solve())
        except (SolverReturnedUnknownResultError, InternalSolverError):
            return False
        finally:
            solver.pop()

    def _mentioned_symbols(self, formula: Formula) -> set[int]:
        if formula.is_int_constant():
            return {int(formula.constant_value())}
        return set[int]().union(*(self._mentioned_symbols(part) for part in formula.args()))

    def bounds(self, *formulas: Formula) -> tuple[Formula, ...]:
        """Return what holds of the symbols of formulas because of their types."""
        return tuple(self._bounds(self.conjunction(*formulas)))

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


def logic_of(*formulas: Formula) -> Logic:
    """Return the logic that formulas need: linear, or not where symbols are multiplied."""
    return QF_NIA if any(_multiplies(formula) for formula in formulas) else QF_LIA


def _multiplies(formula: Formula) -> bool:
    if formula.is_times() and sum(not part.is_constant() for part in formula.args()) > 1:
        return True
    return any(_multiplies(part) for part in formula.args())


def _limits(name: str) -> dict[str, object]:
    limits = {"rlimit": SOLVER_LIMIT, "timeout": SOLVER_TIMEOUT_MS}
    return {"solver_options": limits} if name == "z3" else {}


def is_satisfiable(script: str) -> bool | None:
    """Return whether an SMT-LIB script of declarations and assertions can be satisfied.

    ``None`` without a solver, or if the solver does not tell within its limit.

    Raises:
        FormulaError: the script is malformed, too long, or uses what it may not use.

    """
    environment = FormulaEnvironment()
    formula = _read_assertions(script, environment)
    name = solver_name()
    if name is None:
        return None
    try:
        with environment.factory.Solver(name=name, logic=logic_of(formula), **_limits(name)) as solver:
            return bool(solver.solve([formula]))
    except (SolverReturnedUnknownResultError, InternalSolverError):
        return None
    except (PysmtException, TypeError, ValueError, AttributeError):
        raise FormulaError("the script asserts what is no truth value, or what is not declared") from None


def read_formula(smt: str, symbols: Mapping[str, SymbolSort]) -> Formula:
    """Read a formula of a specification; its symbols are called as there, without the bars.

    Args:
        smt: the formula in SMT-LIB 2.
        symbols: what stands in it, by quoted name.

    Raises:
        FormulaError: it is malformed, too long, or speaks of what is no symbol.

    """
    return _read_once(smt, tuple(symbols.items()))


@lru_cache(maxsize=4096)
def _read_once(smt: str, symbols: tuple[tuple[str, SymbolSort], ...]) -> Formula:
    """Read a formula; whoever checks transactions as they come reads the same ones again and again."""
    environment = FormulaEnvironment()
    if not _is_one_term(smt):
        raise FormulaError("expected one formula")
    formula = _read_assertions("\n".join([*declarations_of(dict(symbols)), assertion(smt)]), environment)
    declared_names = {name.strip("|") for name, _ in symbols}
    strange = [
        item
        for item in environment.fvo.get_free_variables(formula)
        if item.symbol_name() not in declared_names
    ]
    if strange or environment.stc.get_type(formula) != BOOL:
        raise FormulaError("expected one formula over the declared symbols")
    return formula


def declarations_of(symbols: Mapping[str, SymbolSort]) -> list[str]:
    """Return the commands that declare the symbols of a specification's formulas."""
    return [
        declaration(name, "Bool" if sort is SymbolSort.BOOLEAN else "Int") for name, sort in symbols.items()
    ]


def _is_one_term(smt: str) -> bool:
    """Return whether a text closes no more parentheses than it opened before, names in bars left out."""
    depth = 0
    for char in re.sub(r"\|[^|]*\||\"[^\"]*\"|;.*", "", smt):
        depth += (char == "(") - (char == ")")
        if depth < 0:
            return False
    return depth == 0


def _read_assertions(script: str, environment: FormulaEnvironment) -> Formula:
    """Return the conjunction of what a script asserts."""
    if len(script) > MAX_SCRIPT:
        raise FormulaError(f"a script of {len(script):,} characters; at most {MAX_SCRIPT:,} are read")
    check_nesting_of_script(script)
    try:
        read = SmtLibParser(environment=environment).get_script(StringIO(script))
        allowed_commands = {
            "set-logic",
            "set-info",
            "declare-fun",
            "declare-const",
            "assert",
            "check-sat",
            "exit",
        }
        foreign = sorted({item.name for item in read.commands} - allowed_commands)
        if foreign:
            raise FormulaError(f"expected declarations and assertions but got '{foreign[0]}'")
        assertions = [item.args[0] for item in read.commands if item.name == "assert"]
        return assertions[0] if len(assertions) == 1 else environment.formula_manager.And(assertions)
    except (
        PysmtException,
        AssertionError,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        IndexError,
        NotImplementedError,
    ):
        raise FormulaError("the script is no SMT-LIB that can be read") from None


def check_nesting_of_script(script: str) -> None:
    """Refuse a script nested deeper than anything that is written here; raises ``FormulaError``."""
    depth = most = 0
    for char in script:
        depth += (char == "(") - (char == ")")
        most = max(most, depth)
    if most > MAX_NESTING:
        raise FormulaError(f"a script nested {most} deep; at most {MAX_NESTING} are read")


@cache
def _solver_classes() -> Mapping[str, Any]:
    """Return the installed solvers for linear integer arithmetic, looked for once: a factory tries to import all."""
    solvers: Mapping[str, Any] = FormulaEnvironment().factory.all_solvers(logic=QF_LIA)
    return solvers


def solver_name() -> str | None:
    """Return the name of an installed solver for linear integer arithmetic, ``z3`` first, or ``None``."""
    names = sorted(_solver_classes())
    return "z3" if "z3" in names else next(iter(names), None)


def _new_solver(environment: FormulaEnvironment, formula: Formula) -> Any:
    """Return a solver for a formula of an environment; there must be one."""
    name = solver_name() or ""
    solver = _solver_classes()[name]
    return solver(
        environment=environment,
        logic=get_closer_logic(solver.LOGICS, logic_of(formula)),
        **_limits(name),
    )
