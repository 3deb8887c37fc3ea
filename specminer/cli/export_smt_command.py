"""Write states, guards and transitions as SMT-LIB 2."""

from __future__ import annotations

from pathlib import Path

import click

from specminer import read
from specminer.pipeline.output import replace_file


@click.command("export-smt")
@click.argument("automaton", type=click.Path(dir_okay=False, path_type=Path), metavar="AUTOMATON.json")
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="The file to write; without it the script goes to the terminal.",
)
def command(automaton: Path, out: Path | None) -> None:
    """Write AUTOMATON.json as an SMT-LIB 2 script that z3, cvc5 and others read.

    It defines the guards, the initial state and the transition relation, and asks whether some step is
    possible; append questions of your own.
    """
    text = read(automaton).smtlib()
    if out is None:
        click.echo(text, nl=False)
    else:
        replace_file(out, text.encode())
