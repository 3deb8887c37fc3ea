"""The legend: how to read the picture, for what it has."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from specminer.presentation.label_markup import markup
from specminer.presentation.picture_content import Content
from specminer.specification import GuardKind, Mode, TransitionKind

_GUARDS: Final = {
    GuardKind.REQUIRED: "the code decides so, and rejected calls stopped there",
    GuardKind.LEARNED: "told from accepted and rejected calls, the code was not followed",
}


def entries(content: Content) -> Iterator[tuple[str, str]]:
    """Yield what is explained: a key and the words for it."""
    spec, lines = content.spec, content.selection.lines
    kinds = {frozenset(edge.kind for edge in line.edges) for line in lines}
    yield (
        "start",
        "nothing there yet" if spec.interactions.mode not in (Mode.INSTANCE, Mode.WHOLE) else "start",
    )
    if content.usual_states:
        yield "usual", "usual path"
    if content.folding is not None:
        yield "folded", "several states"
    if lines:
        yield "line", "width, grey number: how often"
    if frozenset({TransitionKind.PASSIVE}) in kinds:
        yield "passive", "side effect of other calls"
    if frozenset({TransitionKind.PHASE}) in kinds:
        yield "phase", "switch of the whole contract"
    if frozenset({TransitionKind.TIME}) in kinds:
        yield "time", "time passes"
    if any(edge.outcome != "returned" for edge in spec.transitions):
        yield "rejected", "rejected call"
    guard_kinds = {guard.kind for guard in content.told_guards}
    yield from ((kind.value, words) for kind, words in _GUARDS.items() if kind in guard_kinds)


def legend(content: Content) -> str:
    """Return the legend as an HTML-like label of one row."""
    theme = content.options.colours
    samples = {
        "start": f'<FONT COLOR="{theme.ink}" POINT-SIZE="13">●</FONT>',
        "usual": _bar(theme.usual, 5),
        "folded": f'<FONT COLOR="{theme.frequent}">▢</FONT>',
        "line": _bar(theme.frequent, 2),
        "passive": f'<FONT COLOR="{theme.passive}"><B>- - -</B></FONT>',
        "phase": f'<FONT COLOR="{theme.frequent}"><B>· · ·</B></FONT>',
        "time": f'<FONT COLOR="{theme.frequent}"><B>· · ·</B></FONT>',
        "rejected": f'<FONT COLOR="{theme.rejected}">✗</FONT>',
        **{
            kind.value: f'<FONT COLOR="{theme.rejected}" POINT-SIZE="10">{kind.value}</FONT>'
            for kind in _GUARDS
        },
    }
    cells = "".join(
        f'<TD>{samples[key]}</TD><TD ALIGN="LEFT"><FONT COLOR="{theme.soft}" POINT-SIZE="10">'
        f'{markup(words)}</FONT></TD><TD WIDTH="8"></TD>'
        for key, words in entries(content)
    )
    return (
        '<<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="3"><TR><TD HEIGHT="8"></TD></TR>'
        f"<TR>{cells}</TR></TABLE>>"
    )


def _bar(colour: str, height: int) -> str:
    return (
        '<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="0"><TR>'
        f'<TD BGCOLOR="{colour}" WIDTH="24" HEIGHT="{height}" FIXEDSIZE="TRUE"></TD></TR></TABLE>'
    )
