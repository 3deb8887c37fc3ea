"""List the claims of a specification, each with the name by which it can be pinned or dropped."""

from __future__ import annotations

from pathlib import Path

import click

from specminer.cli.shared_options import format_option
from specminer.presentation.claim_list import claims_json, claims_text
from specminer.specification import (
    claims_template,
    edit_specification,
    edits_path,
    list_claims,
    read_edits,
    read_specification,
)


@click.command("claims")
@click.argument("automaton", type=click.Path(dir_okay=False, path_type=Path), metavar="AUTOMATON.json")
@click.option(
    "--template",
    is_flag=True,
    help="Print the claims as TOML in which all is commented out, to be saved beside the specification.",
)
@format_option
def command(automaton: Path, template: bool, form: str) -> None:
    """List the claims of AUTOMATON.json: conditions of guards, effects, and invariants.

    Each has an identifier, the same in every mining that makes the claim. By it the file automaton.toml beside the
    specification pins, drops, names or comments on a claim, and keeps that over new minings. Dropped claims are
    neither checked nor told; a pinned one that a new mining no longer makes is kept; whoever breaks it, breaks the
    specification.

    \b
      specminer claims out/automaton.json
      specminer claims out/automaton.json --template > out/automaton.toml
    """  # noqa: D301  # \b is click's mark for a paragraph that is not to be wrapped
    specification = read_specification(automaton)
    mined_claims = list_claims(specification)
    if template:
        click.echo(claims_template(mined_claims), nl=False)
        return
    edits = read_edits(edits_path(automaton))
    edited_claims = list_claims(edit_specification(specification, edits))
    claims = tuple({claim.id: claim for claim in (*mined_claims, *edited_claims)}.values())
    mined_ids = frozenset(claim.id for claim in mined_claims)
    click.echo((claims_json if form == "json" else claims_text)(claims, mined_ids, edits), nl=False)
