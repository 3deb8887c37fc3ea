"""Explain one transaction: calls, flows, storage, what is unusual, who took part."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import click

from specminer import Explanation, explain, select
from specminer._support.errors import UsageError, plain
from specminer.cli.bundles import bundle_options
from specminer.cli.console import Screen
from specminer.cli.explaining_options import HistoryTexts
from specminer.cli.shared_options import (
    ArtifactPaths,
    artifact_option,
    chain_option,
    database_option,
    fast_option,
    label_option,
    labels_option,
    life_option,
    quiet_option,
    range_options,
    seed_option,
    split_option,
)
from specminer.cli.source_options import node_options
from specminer.pipeline.node_source import NodeOptions
from specminer.pipeline.output import prepare_folder, replace_file
from specminer.pipeline.selecting import SelectionOptions
from specminer.presentation.transaction_page import transaction_html, transaction_markdown, transaction_text

FORMATS: Final = ("text", "html", "md", "json")
_MAX_PATH: Final = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainTexts:
    """What is asked for, as it stands on the command line."""

    history: HistoryTexts
    form: str | None
    out: Path | None

    def format(self) -> str:
        """Return the format that is wanted, by the ending of the file if only that says it.

        Raises:
            UsageError: the ending says nothing.

        """
        if self.form is not None:
            return self.form
        if self.out is None:
            return "text"
        ending = self.out.suffix.lower().removeprefix(".")
        form = {"txt": "text", "htm": "html", "markdown": "md"}.get(ending, ending)
        if form not in FORMATS:
            raise UsageError(
                f"{plain(self.out)} does not say by its ending what to write; give --format {'|'.join(FORMATS)}"
            )
        return form


@click.command("explain")
@click.argument("transaction", metavar="TRANSACTION")
@click.argument("targets", metavar="ADDRESS|DATASET|FILE …", nargs=-1)
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    help="A screenful of text (the default), one page of HTML, Markdown, or JSON; by default as --out ends.",
)
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write to this file instead of the terminal.",
)
@fast_option
@label_option
@labels_option
@life_option
@split_option
@artifact_option
@chain_option
@range_options
@database_option
@node_options
@seed_option
@quiet_option
@bundle_options
def command(
    transaction: str,
    selection: SelectionOptions,
    node: NodeOptions | None,
    texts: ExplainTexts,
    artifact: ArtifactPaths,
    database: str,
    quiet: bool,
) -> None:
    """Explain one transaction: what it did, who gained, what is unusual about it, what came before and after.

    TRANSACTION is its hash, or as many of its first digits as are unique. The target is the ADDRESS of a contract
    that the database holds, the name of a shipped DATASET, or a trace FILE. The history is mined, so that the
    transaction can be compared with all others. Names of other contracts come from the ABIs in the database, from
    --label and --labels; with --rpc an address is brought up to date first, and the node is asked for tokens' symbols
    and decimals.

    \b
      specminer explain 0xfa5be254 savings
      specminer explain 0xfa5be254 savings --out attack.html
      specminer explain 0xHASH 0xADDRESS --db h.db --label 0xTOKEN=USDC --format json
    """  # noqa: D301  # \b is click's mark for a paragraph that is not to be wrapped
    form = texts.format()
    options = texts.history.options(node)
    if texts.out is not None:
        prepare_folder(texts.out.parent)
    files = selection.trace_files()
    with Screen(quiet=quiet) as screen:
        selected = select(database, selection, abi=artifact, source=None if files else node, observer=screen)
        explanation = explain(selected, transaction, options=options, observer=screen)
    text = render(explanation, form)
    if texts.out is None:
        click.echo(text, nl=False)
        return
    replace_file(texts.out, text.encode())
    click.echo(f"explanation    {plain(texts.out, _MAX_PATH)}")


def render(explanation: Explanation, form: str) -> str:
    """Return an explanation in a format."""
    match form:
        case "html":
            return transaction_html(explanation)
        case "md":
            return transaction_markdown(explanation)
        case "json":
            return explanation.to_json().decode()
        case _:
            return transaction_text(explanation, max(60, min(shutil.get_terminal_size().columns, 120)))
