"""Draw an automaton again: formats, theme, more or less in it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, get_args

import click

from specminer import MinedSpecification, read
from specminer._support.errors import UsageError, plain
from specminer.cli.bundles import bundle_options
from specminer.cli.shared_options import quiet_option, states_option
from specminer.presentation.drawing import Format
from specminer.presentation.picture_options import Direction, Labels, PictureOptions, ThemeName
from specminer.specification import Specification

MAX_PATH: Final = 4096
LARGE: Final = 12
"""States, more than which no page holds well."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AutomatonView:
    """Which automaton of the document is drawn, and how much of it."""

    states: int | None = None
    """How many states it has; ``None`` for the chosen one."""
    second_view: bool = False
    compact: bool = False
    """Whether it is for a slide."""

    @property
    def suffix(self) -> str:
        """What the names of the files say of it."""
        parts = [
            "-second-view" if self.second_view else "",
            "" if self.states is None else f"-{self.states}-states",
            "-compact" if self.compact else "",
        ]
        return "".join(parts)


def _formats(text: str) -> tuple[Format, ...]:
    """Read ``svg,png``."""
    formats: dict[str, Format] = {name: name for name in get_args(Format)}
    names = [part.strip().lower() for part in text.split(",")]
    for part in names:
        if part not in formats:
            raise click.BadParameter(f"'{plain(part, 40)}' is none of {', '.join(formats)}")
    return tuple(dict.fromkeys(formats[part] for part in names))


def _share(text: str) -> float:
    """Read ``1%`` or ``0.01``."""
    number = text.strip()
    try:
        value = float(number.removesuffix("%")) / (100 if number.endswith("%") else 1)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise click.BadParameter(f"'{plain(text, 40)}' is no share such as 1% or 0.01")
    return value


@click.command("render")
@click.argument("automaton", type=click.Path(dir_okay=False, path_type=Path), metavar="AUTOMATON.json")
@click.option(
    "--format",
    "formats",
    type=_formats,
    default="svg",
    show_default=True,
    metavar="LIST",
    help=f"One or more of {', '.join(get_args(Format))}, separated by commas.",
)
@states_option
@click.option(
    "--second-view",
    is_flag=True,
    help="Draw the history as it is split by what is nearly as good, where automaton.json has that.",
)
@click.option(
    "--fold/--no-fold",
    default=True,
    show_default=True,
    help="Draw 8 states and 30 lines at most: states that are rare or alike are drawn as one box, the rarest lines are "
    "left out. The picture says so; automaton.json and GraphML hold all.",
)
@click.option(
    "--min-share",
    type=_share,
    metavar="SHARE",
    help="Hide lines that carry a smaller share of all events, such as 1%; 0 hides nothing. Never hidden is a state's "
    "only way in, or what carries 5% of what leaves a state. By default the rarest are hidden, 1.5% of the events "
    "at most.",
)
@click.option(
    "--direction",
    type=click.Choice(get_args(Direction)),
    help="From left to right or from top to bottom; by default LR up to four states.",
)
@click.option(
    "--labels",
    type=click.Choice(get_args(Labels)),
    default="short",
    show_default=True,
    help="Short: the most frequent events and rejections, the least predicates; full: all of them.",
)
@click.option(
    "--theme", type=click.Choice(get_args(ThemeName)), default="light", show_default=True, help="The colours."
)
@click.option(
    "--compact",
    is_flag=True,
    help="For a slide: 6 states at most, two events of a line and two rejections of a state, no guards, no legend.",
)
@click.option("--title", metavar="TEXT", help="What stands above; by default the contract's name.")
@click.option("--no-legend", "legend", flag_value=False, default=True, help="Leave out the legend.")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Folder for the pictures; by default that of AUTOMATON.json.",
)
@quiet_option
@bundle_options
def command(
    automaton: Path,
    formats: tuple[Format, ...],
    view: AutomatonView,
    picture: PictureOptions,
    out: Path | None,
    quiet: bool,
) -> None:
    """Draw AUTOMATON.json, as `specminer mine` writes it, in one or more formats.

    \b
      specminer render out/automaton.json --format svg,png,pdf
      specminer render out/automaton.json --states 4 --labels full --theme dark
      specminer render out/automaton.json --no-fold
      specminer render out/automaton.json --compact --format png
      specminer render out/automaton.json --format mermaid

    The files are called after AUTOMATON.json, with what was asked for:
    automaton.svg, automaton-4-states-dark.svg. `mermaid` (.mmd) is what code-hosting pages draw from a fenced
    block; `graphml` is for graph tools and holds everything, with the evidence.
    """  # noqa: D301  # \b is click's mark for a paragraph that is not to be wrapped
    mined = read(automaton)
    if view.second_view:
        mined = _second_view(mined, automaton)
    if view.states is not None:
        mined = mined.with_states(view.states)
    theme = "" if picture.theme == "light" else f"-{picture.theme}"
    if view.compact:
        picture = picture.compact()
    paths = replace(mined, options=picture).write_pictures(
        automaton.parent if out is None else out, formats, f"{automaton.stem}{view.suffix}{theme}"
    )
    for path in paths:
        click.echo(plain(path, MAX_PATH))
    if len(mined.specification.states) > LARGE and not picture.fold and not quiet:
        click.echo(_advice(mined.specification), err=True)


def _second_view(mined: MinedSpecification, path: Path) -> MinedSpecification:
    other = mined.seen_otherwise()
    if other is None:
        raise UsageError(
            f"--second-view: {plain(path)} has none, because no other split of its history was nearly as good; "
            "`specminer mine --interactions SORT` splits it as you wish"
        )
    return other


def _advice(spec: Specification) -> str:
    """Say that a large automaton has smaller ones beside it."""
    smaller = [str(point.states) for point in spec.front if point.states <= LARGE]
    states = f"{len(spec.states)} states make a large picture"
    if not smaller:
        return f"{states}; --min-share 5% hides more of it"
    return f"{states}; --states draws a smaller automaton of the front: {', '.join(smaller)}"
