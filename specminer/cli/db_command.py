"""Look after the database: sizes, soundness, what nobody needs."""

from __future__ import annotations

import sys

import click

from specminer import check_database, database_size, prune_database, vacuum_database
from specminer._support.errors import UsageError
from specminer._support.text import count_of
from specminer.cli.painting import paint
from specminer.cli.shared_options import chain_option, database_option, format_option
from specminer.pipeline.housekeeping import flaws_json, flaws_text, sizes_json, sizes_text
from specminer.pipeline.inputs import open_existing, parse_address


@click.group("db")
def command() -> None:
    """Look after the database: how large it is, whether it is sound, and how it becomes smaller."""


@command.command("stats", short_help="Rows and bytes of each table.")
@database_option
@format_option
def stats_command(database: str, form: str) -> None:
    """Show the rows and bytes of each table, with its indexes, and the bytes for each invocation."""
    size = database_size(database)
    click.echo(sizes_json(size) if form == "json" else paint(sizes_text(size)))


@command.command("check", short_help="Whether the database is sound.")
@database_option
@format_option
def check_command(database: str, form: str) -> int:
    """Check the file, references between tables, counts, ranges of blocks, and that every transaction can be read.

    Nothing is changed. Blocks between two ranges that were not collected are noted. Exits with 1 if the database is
    damaged.
    """
    flaws = check_database(database)
    click.echo(flaws_json(flaws) if form == "json" else paint(flaws_text(flaws)))
    return 1 if any(flaw.lasting for flaw in flaws) else 0


@command.command("prune", short_help="Remove contracts, and what nobody needs.")
@click.argument("contracts", nargs=-1, metavar="[ADDRESSES]")
@click.option("--yes", "sure", is_flag=True, help="Do not ask before something is removed.")
@chain_option
@database_option
def prune_command(contracts: tuple[str, ...], sure: bool, chain_id: int | None, database: str) -> None:
    """Remove what nobody needs, and the contracts at ADDRESSES with all that was recorded of them.

    Nobody needs values, code and blocks that no recording refers to any more, such as those of blocks that the chain
    has replaced, and the machine's state after executions of which nothing is left. What is removed is shown before,
    and asked for. The file becomes smaller with `specminer db vacuum`.
    """
    for contract in contracts:
        parse_address(contract)
    with open_existing(database) as store:
        spare = store.count_unused()
    if not spare and not contracts:
        click.echo("there is nothing to remove")
        return
    removals = [f"{rows:,} rows of {name}" for name, rows in spare.items()]
    removals += [f"all of {contract}" for contract in contracts]
    if not sure:
        if not sys.stdin.isatty():
            raise UsageError(
                f"prune would remove {', '.join(removals)}; give --yes where nobody can be asked"
            )
        click.confirm(f"Remove {', '.join(removals)}?", abort=True)
    removed_rows = prune_database(database, contracts, chain_id=chain_id)
    rows = ", ".join(f"{count:,} of {name}" for name, count in sorted(removed_rows.items()))
    click.echo(
        f"removed {count_of(sum(removed_rows.values()), 'row')}: {rows}"
        if removed_rows
        else "nothing was removed"
    )


@command.command("vacuum", short_help="Give back the space that holds nothing.")
@database_option
def vacuum_command(database: str) -> None:
    """Write the database anew without what holds nothing; that needs as much room again while it lasts."""
    before, after = vacuum_database(database)
    if before.size is None or after.size is None:
        click.echo("the database was put in order")
    else:
        click.echo(f"{before.size:,} bytes before, {after.size:,} now")
