"""Prove again what an automaton.json claims to be proved."""

from __future__ import annotations

from pathlib import Path

import click

from specminer import prove
from specminer.cli.painting import paint
from specminer.cli.shared_options import format_option
from specminer.pipeline.proving import proof_json, proof_text


@click.command("prove")
@click.argument("automaton", type=click.Path(dir_okay=False, path_type=Path), metavar="AUTOMATON.json")
@format_option
def command(automaton: Path, form: str) -> int:
    """Ask the solver again about every obligation in AUTOMATON.json.

    An obligation is a claim about guards, with an SMT-LIB script and the answer that confirms it: that a guard as shown
    says what was learned, that it can be met, that none of its conditions follows from the others.

    Exits with 1 if one does not hold. One that the solver does not decide within its limit is marked, and counts
    as neither.
    """
    answers = prove(automaton)
    click.echo(proof_json(answers) if form == "json" else paint(proof_text(answers)), nl=False)
    return 1 if any(item.holds is False for item in answers) else 0
