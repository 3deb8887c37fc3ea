"""The options that several commands share, and how their texts become values."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from specminer._support.addresses import is_address
from specminer._support.errors import UsageError, plain
from specminer._support.text import suggest
from specminer.replay.engine import Engine
from specminer.replay.limits import MAX_GAS, MAX_STEPS
from specminer.specification.abstraction_entries import Weights

F = TypeVar("F", bound=Callable[..., Any])


def compose(*options: Callable[[F], F]) -> Callable[[F], F]:
    """Return a decorator that adds several options to a command, in this order."""

    def decorate(command: F) -> F:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


database_option = click.option(
    "--db",
    "database",
    envvar="SPECMINER_DB",
    default="specminer.db",
    show_default=True,
    show_envvar=True,
    metavar="PATH|URL",
    help="The database: a file, or postgresql://USER@HOST/NAME.",
)


def whole_number(least: int, bits: int = 63) -> Callable[[str], int]:
    """Return a reader of whole numbers below ``2**bits``; those below ``2**63`` fit into the database."""

    def read(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,78}", text) or not least <= int(text) < 1 << bits:
            raise click.BadParameter(f"'{plain(text, 40)}' is no whole number from {least} to 2**{bits} - 1")
        return int(text)

    return read


instances_option = click.option(
    "--instances",
    type=whole_number(1),
    metavar="N",
    help="Of several contracts, mine the first N in the order of their creation.",
)

life_option = click.option(
    "--life",
    type=whole_number(1),
    metavar="N",
    help="Of a contract that destroyed itself and was created again, its N-th life alone; by default all, told apart.",
)

states_option = click.option(
    "--states",
    type=click.IntRange(1),
    metavar="N",
    help="Take the automaton of N states that the front holds, instead of the chosen one.",
)

chain_option = click.option(
    "--chain-id",
    type=whole_number(1),
    metavar="N",
    help="The chain that is meant (1 is Ethereum's main chain); an error if the source is of another.",
)

quiet_option = click.option(
    "--quiet", is_flag=True, help="Show no progress and no notes; results and errors only."
)

verbose_option = click.option(
    "--verbose",
    is_flag=True,
    help="Print everything: transitions, guards, effects, invariants, and how sure all this is.",
)


ArtifactPaths = Path | tuple[Path, ...] | None
"""Where ABIs are: a file or a folder, several of them, or nowhere."""


def _given_files(
    context: click.Context, parameter: click.Parameter, value: tuple[Path, ...]
) -> ArtifactPaths:
    """Return one file as itself; ``None`` if none is given."""
    return value[0] if len(value) == 1 else value or None


ARTIFACT_HELP: Final = (
    "The contract's ABI (for a proxy, its implementations': repeat it, or name a folder): plain JSON, or a Foundry, "
    "Hardhat or Truffle artifact, solc's or Vyper's output (FILE:CONTRACT), a storage layout. Names the functions; a "
    "storage layout in it names the variables."
)
artifact_option = click.option(
    "--abi",
    "artifact",
    type=click.Path(path_type=Path),
    multiple=True,
    callback=_given_files,
    metavar="FILE",
    help=ARTIFACT_HELP,
)

execution_options = compose(
    click.option(
        "--code",
        type=click.Path(dir_okay=False, path_type=Path),
        metavar="FILE",
        help="The contract's runtime code (hexadecimal, or bytes), for a contract whose creation is not in the list or "
        "cannot be executed again.",
    ),
    click.option(
        "--fork",
        default="auto",
        show_default=True,
        metavar="NAME",
        help="The rules to execute by: auto (the chain's schedule where it is known, else the one fork whose gas fits "
        "best), or a fork's name such as istanbul or cancun.",
    ),
    click.option(
        "--infer/--no-infer",
        default=True,
        show_default=True,
        help="Infer what no list shows (ether that a contract had, receivers that are contracts or did not exist, "
        "storage that somebody unseen wrote) where it is the only choice with which a transaction ends as recorded. "
        "Each is listed.",
    ),
    click.option(
        "--max-steps",
        type=whole_number(1),
        default=str(MAX_STEPS),
        show_default=True,
        metavar="N",
        help="Opcodes of one transaction at most, precompiled contracts counted by their time; one that needs more "
        "is stopped and left out.",
    ),
    click.option(
        "--max-gas",
        type=whole_number(1),
        default=str(MAX_GAS),
        show_default=True,
        metavar="N",
        help="Gas limit of one transaction at most; one with more is not executed and left out.",
    ),
    click.option(
        "--engine",
        type=click.Choice([engine.value for engine in Engine]),
        default=Engine.FAST.value,
        show_default=True,
        callback=lambda _context, _option, value: Engine(value),
        help="What executes: specminer's own engine (fast), the executable specification of Ethereum (reference, some "
        "twenty times slower), or both: where they differ, this is noted and the specification counts.",
    ),
)

range_options = compose(
    click.option(
        "--from-block",
        "first",
        type=whole_number(0),
        metavar="N",
        help="First block to read; by default the one that created the contract.",
    ),
    click.option(
        "--to-block",
        "last",
        type=whole_number(0),
        metavar="N",
        help="Last block to read; by default the newest finalized one (the latest on development chains).",
    ),
)


split_option = click.option(
    "--interactions",
    default="auto",
    show_default=True,
    metavar="auto|whole|instance|sender|SORT",
    help="How to split the history: whole, one per contract, one per account that calls, one per entity of a SORT "
    "that `specminer interactions --explain` lists, or whichever fits the data.",
)

seed_option = click.option(
    "--seed",
    type=int,
    default=0,
    show_default=True,
    help="Seed of all chance; the same seed gives the same result.",
)

fast_option = click.option(
    "--fast",
    is_flag=True,
    help="Mine nothing: no roles, and no comparison with other transactions.",
)

label_option = click.option(
    "--label",
    multiple=True,
    metavar="ADDRESS=NAME",
    help="What to call an address, such as a token by its symbol; may be repeated.",
)

labels_option = click.option(
    "--labels",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="What to call addresses: CSV (address,name), or JSON or TOML with names by address. --label overrules it.",
)

format_option = click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="Text for people, or JSON for programs.",
)


def parse_weights(text: str | None) -> dict[str, float]:
    """Read ``--weights NAME=NUMBER,...``.

    Raises:
        UsageError: something else stands there.

    """
    names = [item.name for item in fields(Weights)]
    weights: dict[str, float] = {}
    for part in text.split(",") if text else ():
        name, separator, number = (piece.strip() for piece in part.partition("="))
        if name not in names:
            hint = suggest(name, names, f"there are {', '.join(names)}")
            raise UsageError(f"--weights: there is no weight '{plain(name, 40)}'; {hint}")
        try:
            value = float(number)
        except ValueError:
            value = -1.0
        if not separator or not 0 <= value < math.inf:
            raise UsageError(
                f"--weights should be NAME=NUMBER,..., the numbers 0 or more, but has '{plain(part, 60)}'"
            )
        weights[name] = value
    return weights


def parse_labels(texts: Sequence[str]) -> dict[str, str]:
    """Read ``--label ADDRESS=NAME``, as often as it is given.

    Raises:
        UsageError: something else stands there.

    """
    labels: dict[str, str] = {}
    for text in texts:
        address, separator, name = (part.strip() for part in text.partition("="))
        if not separator or not name or not is_address(address):
            raise UsageError(
                f"--label should be ADDRESS=NAME, the address 0x and 40 hexadecimal digits, but is '{plain(text, 80)}'"
            )
        labels[address] = name
    return labels
