"""Print the JavaScript tracer, for tools that trace by themselves."""

from __future__ import annotations

import click

from specminer.pipeline.inputs import parse_address
from specminer.sources.javascript import tracer_source


@click.command("tracer")
@click.argument("contracts", nargs=-1, required=True, metavar="CONTRACTS")
def command(contracts: tuple[str, ...]) -> None:
    """Print the JavaScript tracer for CONTRACTS, to be run by other tools.

    It is one line: the option `tracer` of debug_traceTransaction and debug_traceBlockByNumber, or what cryo takes for
    the dataset javascript_traces. `specminer import` reads what it answers, beside a list of the transactions.

    \b
      specminer tracer 0x5FbDB2315678afecb367f032d93F642f64180aa3 > tracer.js
      cryo txs blocks javascript_traces --js-tracer "$(cat tracer.js)" --blocks 100:200
      specminer import *.parquet --chain-id 1 --db h.db
    """  # noqa: D301  # \b is click's mark for a paragraph that is not to be wrapped
    click.echo(tracer_source([parse_address(contract) for contract in contracts]))
