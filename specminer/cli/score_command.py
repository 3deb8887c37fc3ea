"""Score a mined automaton against a declared protocol."""

from __future__ import annotations

from pathlib import Path

import click

from specminer import Labels, score_automaton
from specminer._support.errors import plain
from specminer.cli.painting import paint
from specminer.cli.shared_options import format_option
from specminer.presentation.score_text import score_json, score_text

_FILE = click.Path(dir_okay=False, path_type=Path)


def _share(text: str) -> float:
    """Read the value of ``--min``."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise click.BadParameter(f"'{plain(text, 40)}' is no number from 0 to 1")
    return value


@click.command("score")
@click.argument("mined", type=_FILE)
@click.argument("truth", type=_FILE)
@click.option(
    "--labels",
    type=click.Choice([item.value for item in Labels]),
    default=Labels.FUNCTIONS.value,
    show_default=True,
    help="What is compared: bare function names, or events with their roles (`transfer as _to`).",
)
@click.option(
    "--ignore",
    "ignored",
    multiple=True,
    metavar="LABEL",
    help="A label that is passed over on both sides, such as constructor; may be repeated.",
)
@click.option(
    "--seeds",
    type=click.IntRange(1, 1000),
    default=10,
    show_default=True,
    metavar="N",
    help="How many samples of random walks to draw, with the seeds 0 to N - 1.",
)
@click.option(
    "--min",
    "least",
    type=_share,
    metavar="F",
    help="Exit with code 1 if the mean of F is below this.",
)
@format_option
def command(
    mined: Path,
    truth: Path,
    labels: str,
    ignored: tuple[str, ...],
    seeds: int,
    least: float | None,
    form: str,
) -> int:
    """Score the automaton MINED against TRUTH: precision, recall, F, and exact inclusion.

    MINED is an automaton.json. TRUTH is another one, or a protocol as its authors declared it:

    \b
      {"start": "new", "transitions": [
        {"source": "new", "function": "constructor", "target": "open"},
        {"source": "open", "function": "close", "target": "closed", "roles": ["owner"]}]}

    Precision is the share of random walks of MINED that TRUTH accepts, recall the reverse, F their harmonic
    mean. Every state accepts. Rejected calls, side effects and phase changes are passed over. Exact inclusion
    comes with a shortest counterexample.
    """  # noqa: D301  # \b is click's mark for a paragraph that is not to be wrapped
    result = score_automaton(mined, truth, labels=Labels(labels), ignored=ignored, seeds=seeds)
    click.echo(score_json(result) if form == "json" else paint(score_text(result)), nl=False)
    if least is not None and result.f.mean < least:
        click.echo(plain(f"F is {result.f.mean:.3f}, below the {least:g} asked for with --min"), err=True)
        return 1
    return 0
