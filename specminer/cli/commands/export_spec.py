"""Write the guards of a specification in the language of another tool."""

from __future__ import annotations

from pathlib import Path

import click

from specminer import read
from specminer.cli.options import ARTIFACT_HELP
from specminer.errors import UsageError
from specminer.export.solidity import solidity
from specminer.pipeline.inputs import read_artifact
from specminer.pipeline.output import replace_file


@click.command("export-spec")
@click.argument("automaton", type=click.Path(dir_okay=False, path_type=Path), metavar="AUTOMATON.json")
@click.option(
    "--format",
    "language",
    type=click.Choice(["solidity"]),
    required=True,
    help="The language: solidity writes an abstract contract with a modifier for each function.",
)
@click.option(
    "--abi",
    "abi",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    required=True,
    help=ARTIFACT_HELP,
)
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="The file to write; without it the text goes to the terminal.",
)
def command(automaton: Path, language: str, abi: Path, out: Path | None) -> None:
    """Write the guards of AUTOMATON.json in the language of another tool.

    The guards are those that the code itself decides upon, required and coded. A condition that the language cannot
    say is a comment that tells why.
    """
    specification = read(automaton).specification
    artifact = read_artifact(abi)
    if artifact is None or not artifact.abi:
        raise UsageError("--abi expects functions, but the file holds a storage layout only; give the ABI")
    text = {"solidity": solidity}[language](specification, artifact)
    if out is None:
        click.echo(text, nl=False)
    else:
        replace_file(out, text.encode())
