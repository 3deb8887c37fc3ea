"""What ``collect`` and ``mine`` do with a list of contracts."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import click

from specminer import Observer, collect_contracts, mine_contracts
from specminer._support.errors import UsageError, plain
from specminer._support.text import count_of
from specminer.pipeline.selecting import SelectionOptions
from specminer.pipeline.source import BlockRange, HistorySource
from specminer.pipeline.state import MineOptions

FOLDER: Final = Path("specifications")
"""Where many specifications are written unless another folder is named."""
_INCOMPLETE: Final = 3
"""The exit code if some contracts were left out."""

contracts_option: Final = click.option(
    "--contracts",
    "contracts",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="A list of contracts in place of one: ADDRESS, and behind it a name and the path of an ABI if wanted, a line "
    "each; # begins a comment, and - stands for no name.",
)


def check_alone(contracts: Path | None, others: Mapping[str, object]) -> None:
    """Check that a list of contracts is given without what says otherwise which contracts are meant.

    Raises:
        UsageError: something of it is given as well.

    """
    names = [name for name, value in others.items() if value]
    if contracts is not None and names:
        raise UsageError(f"--contracts names all contracts: leave out {' and '.join(names)}")


def collect_list(
    database: str,
    contracts: Path,
    source: HistorySource,
    *,
    chain_id: int | None,
    blocks: BlockRange,
    observer: Observer,
) -> int:
    """Collect all contracts of a list, and print a line for each; return the exit code."""
    updates = collect_contracts(
        database, contracts, source, chain_id=chain_id, blocks=blocks, observer=observer
    )
    for update in updates:
        click.echo(plain(update, 2_000))
    return _INCOMPLETE if any(update.failure is not None for update in updates) else 0


def mine_list(
    database: str,
    contracts: Path,
    folder: Path,
    *,
    selection: SelectionOptions,
    options: MineOptions,
    report: bool,
    observer: Observer,
) -> int:
    """Mine all contracts of a list, and print a line for each; return the exit code."""
    overview = mine_contracts(
        database,
        contracts,
        folder,
        selection=selection,
        options=options,
        report=report,
        observer=observer,
    )
    for row in overview.rows:
        if row.failure is not None:
            outcome = f"not mined: {row.failure}"
        else:
            alarms = "alarms not measured" if row.alarms is None else count_of(row.alarms, "alarm")
            transactions = count_of(row.transactions or 0, "transaction")
            outcome = f"{count_of(row.states or 0, 'state')}, {transactions}, {alarms}"
        click.echo(plain(f"{row.name}: {outcome}", 2_000))
    for family in overview.families:
        click.echo(plain(family.text(overview.rows), 2_000))
    click.echo(
        f"\nindex          {plain(overview.page, 4096)}\ndocument       {plain(overview.document, 4096)}"
    )
    return _INCOMPLETE if overview.failures else 0
