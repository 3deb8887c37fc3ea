"""Compare two specifications: before and after an upgrade, an attack, or a change."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import click

from specminer import Selection, Specification, diff, diff_at, select
from specminer._support.addresses import is_address
from specminer._support.errors import UsageError, plain
from specminer.cli.bundles import bundle_options
from specminer.cli.console import Screen
from specminer.cli.label_options import read_all_labels
from specminer.cli.painting import paint
from specminer.cli.shared_options import (
    ArtifactPaths,
    artifact_option,
    chain_option,
    database_option,
    labels_option,
    quiet_option,
)
from specminer.cli.source_options import SourceOptions, source_options
from specminer.pipeline.inputs import read_artifact
from specminer.pipeline.output import make_folder, prepare_folder, replace_file
from specminer.pipeline.selecting import SelectionOptions
from specminer.presentation.comparison_page import comparison_html, comparison_markdown
from specminer.presentation.comparison_text import comparison_json, comparison_text
from specminer.presentation.graphviz_layout import render_dot
from specminer.presentation.joint_picture import joint_dot
from specminer.specification import (
    edit_specification,
    edits_path,
    is_specification,
    read_edits,
    read_specification,
)
from specminer.specification.address_names import with_names

_MAX_PATH = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedTexts:
    """What is compared, as it was given."""

    targets: tuple[str, ...]
    block: int | None
    chain_id: int | None
    labels: Path | None

    def check(self) -> None:
        """Check that there are one or two, and what is cut.

        Raises:
            UsageError: there are more, or two of which one is to be cut.

        """
        if len(self.targets) > 2:
            raise UsageError(f"diff compares two things at most, but {len(self.targets)} were given")
        if len(self.targets) == 2 and self.block is not None:
            raise UsageError("--at cuts one history in two; give it with one target")


@dataclass(frozen=True, slots=True, kw_only=True)
class DiffOutput:
    """How differences are told."""

    out: Path | None
    exit_code: bool
    form: str


@click.command("diff")
@click.argument("targets", metavar="A|B", nargs=-1, required=True)
@click.option(
    "--at",
    "block",
    type=click.IntRange(0),
    metavar="BLOCK",
    help="Cut the one history A in two: before this block, and from it on.",
)
@source_options
@artifact_option
@chain_option
@database_option
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Write the page difference.html, difference.md, difference.json, and the picture of both automata, "
    "difference.svg and difference.dot, into this folder.",
)
@click.option("--exit-code", "exit_code", is_flag=True, help="Exit with code 1 if anything differs.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="Text for people, or JSON for programs.",
)
@labels_option
@quiet_option
@bundle_options
def command(
    texts: ComparedTexts,
    output: DiffOutput,
    source: SourceOptions,
    artifact: ArtifactPaths,
    database: str,
    quiet: bool,
) -> int:
    """Compare two specifications A and B: what the code, and what the use of the contract, changed.

    A and B are each an automaton.json, or a history that is mined first: the address of a contract, a dataset, a
    trace file. A history B is mined with the abstraction of A. One history A alone is cut in two: at the block given
    with --at, else where its code was last upgraded.

    Differences of the code come first: conditions that are gone, new, weaker, stronger or asked in another order, with
    values that tell, and effects. Of counts it is told what differs by more than chance.

    \b
      specminer diff before/automaton.json after/automaton.json
      specminer diff loans --out upgrade
      specminer diff 0xADDRESS --at 18000000 --db h.db --exit-code
    """  # noqa: D301  # \b is click's mark for a paragraph that is not to be wrapped
    texts.check()
    targets, out = texts.targets, output.out
    labels, abi = read_all_labels(texts.labels), read_artifact(artifact)
    if out is not None:
        prepare_folder(out)
    with Screen(quiet=quiet) as screen:

        def open_target(target: str) -> Specification | Selection:
            path = Path(target)
            if path.suffix == ".json" and path.is_file() and is_specification(path):
                return edit_specification(read_specification(path), read_edits(edits_path(path)))
            options = SelectionOptions(
                targets=(target,), chain_id=texts.chain_id if is_address(target) else None
            )
            options.trace_files()
            return select(database, options, abi=abi, source=source.source, observer=screen)

        first = open_target(targets[0])
        if len(targets) == 2:
            comparison = diff(first, open_target(targets[1]), observer=screen)
        elif isinstance(first, Specification):
            raise UsageError("an automaton.json is compared with another one, or with a history: give B")
        else:
            comparison = diff_at(first, texts.block, observer=screen)
    comparison = replace(
        comparison,
        before=with_names(comparison.before, labels),
        after=with_names(comparison.after, labels),
    )
    click.echo(
        comparison_json(comparison) if output.form == "json" else paint(comparison_text(comparison)), nl=False
    )
    if out is not None:
        picture = joint_dot(comparison)
        make_folder(out)
        for name, content in (
            ("difference.html", comparison_html(comparison).encode()),
            ("difference.md", comparison_markdown(comparison).encode()),
            ("difference.json", comparison_json(comparison)),
            ("difference.dot", picture.encode()),
            ("difference.svg", render_dot(picture, "svg")),
        ):
            replace_file(out / name, content)
        if output.form == "text":
            click.echo(f"\npicture        {plain(out / 'difference.svg', _MAX_PATH)}")
            click.echo(f"page           {plain(out / 'difference.html', _MAX_PATH)}")
    return 1 if output.exit_code and comparison.differences else 0
