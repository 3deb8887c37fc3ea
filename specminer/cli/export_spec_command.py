"""Write a specification in the language of another tool."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import click

from specminer import Selection, read, select
from specminer._support.errors import UsageError, plain
from specminer.cli.bundles import bundle_options
from specminer.cli.shared_options import ArtifactPaths, artifact_option, database_option
from specminer.export.formats import FORMATS, NO_ABI, ExportRequest, export_as
from specminer.pipeline.inputs import read_artifact
from specminer.pipeline.output import replace_file
from specminer.pipeline.selecting import SelectionOptions
from specminer.specification import Specification

_MAX_CHARACTERS = 400
"""Characters of what is told of a claim that is left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportTexts:
    """What is written and from what, as it was given."""

    automaton: Path
    targets: tuple[str, ...]
    language: str
    artifact: ArtifactPaths
    database: str
    most_calls: int

    def request(self) -> ExportRequest:
        """Return what the export is made of.

        Raises:
            UsageError: the format needs an ABI, and there is none, or none with functions.

        """
        specification = read(self.automaton).apply_edits(self.automaton).specification
        artifact = read_artifact(self.artifact)
        history = None
        language = FORMATS[self.language]
        if self.targets or language.needs_history:
            selection = self._selection(specification)
            history = selection.history
            artifact = artifact or selection.known_artifact()
        if not language.needs_abi:
            artifact = artifact or NO_ABI
        elif artifact is None:
            raise UsageError(
                "the types of arguments are needed: give the contract's ABI with --abi, or name the dataset"
            )
        elif not artifact.abi:
            raise UsageError(
                "--abi expects functions, but the file holds a storage layout only; give the ABI"
            )
        return ExportRequest(
            specification=specification, artifact=artifact, history=history, most_calls=self.most_calls
        )

    def _selection(self, specification: Specification) -> Selection:
        """Return the recorded calls, with the ABI that is stored with them."""
        options = SelectionOptions(
            targets=self.targets or specification.contracts,
            chain_id=specification.chain_id if not self.targets else None,
        )
        return select(self.database, options)


@click.command("export-spec")
@click.argument("automaton", type=click.Path(dir_okay=False, path_type=Path), metavar="AUTOMATON.json")
@click.argument("targets", metavar="[ADDRESS|DATASET|FILE …]", nargs=-1)
@click.option(
    "--format",
    "language",
    type=click.Choice(list(FORMATS)),
    metavar="NAME",
    required=True,
    help="The language: " + "; ".join(f"{name} writes {item.help}" for name, item in FORMATS.items()) + ".",
)
@artifact_option
@click.option(
    "--most-calls",
    type=click.IntRange(1, 1_000_000),
    default=2_000,
    show_default=True,
    metavar="N",
    help="Write so many recorded calls at most, the first ones.",
)
@database_option
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="The file to write; without it the text goes to the terminal.",
)
@bundle_options
def command(texts: ExportTexts, out: Path | None) -> None:
    """Write what AUTOMATON.json claims in the language of another tool.

    Written are the guards that the code itself decides upon, required and coded, and, where the language can say them,
    the effects. What the language cannot say is listed with the reason: in the file, and on standard error.

    Formats that hold recorded calls read them from the ADDRESS, a shipped DATASET or a trace FILE; without one, from
    the specification's own contract in the database.
    """
    export = export_as(texts.language, texts.request())
    for item in export.left_out:
        click.echo(f"not stated: {plain(str(item), _MAX_CHARACTERS)}", err=True)
    if out is None:
        click.echo(export.text, nl=False)
    else:
        replace_file(out, export.text.encode())
