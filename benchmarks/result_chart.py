"""Charts of results as SVG: bars and lines, readable on light and dark pages, the same bytes for the same numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final
from xml.sax.saxutils import escape

_WIDTH: Final = 720
_FONT: Final = 'font-family="system-ui, sans-serif" font-size="13"'
_INK: Final = "#24292f"
_FAINT: Final = "#d0d7de"
_OWN: Final = "#0969da"
_COLOURS: Final = ("#0969da", "#bc4c00", "#1a7f37", "#8250df", "#9a6700", "#cf222e", "#57606a", "#bf3989")
_ROW: Final = 26
_LABEL: Final = 210
_VALUE: Final = 60


def bars(rows: Sequence[tuple[str, float]], *, label: str, own: str) -> str:
    """Return horizontal bars on a scale from 0 to 1, or to the largest value; the bar called ``own`` stands out."""
    top = max(1.0, *(value for _, value in rows)) if rows else 1.0
    wide = _WIDTH - _LABEL - _VALUE
    parts = []
    for place, (name, value) in enumerate(rows):
        y = 12 + place * _ROW
        colour = _OWN if name == own else _COLOURS[6]
        parts += [
            f'<text x="{_LABEL - 10}" y="{y + 15}" text-anchor="end">{escape(name)}</text>',
            f'<rect x="{_LABEL}" y="{y + 2}" width="{wide * value / top:.1f}" height="{_ROW - 8}" fill="{colour}"/>',
            f'<text x="{_LABEL + wide * value / top + 8:.1f}" y="{y + 15}">{value:.3f}</text>',
        ]
    return _picture(24 + len(rows) * _ROW, parts, label)


def lines(series: Mapping[str, Sequence[tuple[float, float]]], *, label: str, own: str) -> str:
    """Return lines of (x, y), y from 0 to 1; the values of x stand at equal distances."""
    xs = sorted({x for points in series.values() for x, _ in points})
    left, right, top, bottom, height = 50, 220, 20, 30, 320
    wide, tall = _WIDTH - left - right, height - top - bottom

    def across(x: float) -> float:
        return left + wide * xs.index(x) / max(len(xs) - 1, 1)

    def down(y: float) -> float:
        return top + tall * (1 - y)

    parts = []
    for tick in (0.0, 0.25, 0.5, 0.75, 1.0):
        parts += [
            f'<path d="M{left} {down(tick):.1f}H{left + wide}" stroke="{_FAINT}"/>',
            f'<text x="{left - 8}" y="{down(tick) + 4:.1f}" text-anchor="end">{tick:g}</text>',
        ]
    parts += [f'<text x="{across(x):.1f}" y="{height - 8}" text-anchor="middle">{x:.0%}</text>' for x in xs]
    ends = _apart([(name, down(points[-1][1])) for name, points in series.items() if points])
    for place, (name, points) in enumerate(series.items()):
        if not points:
            continue
        colour, thick = _COLOURS[place % len(_COLOURS)], 3 if name == own else 1.5
        path = "L".join(f"{across(x):.1f} {down(y):.1f}" for x, y in points)
        parts += [
            f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="{thick}"/>',
            f'<text x="{left + wide + 10}" y="{ends[name] + 4:.1f}" fill="{colour}">{escape(name)}</text>',
        ]
    return _picture(height, parts, label)


def _apart(ends: Sequence[tuple[str, float]]) -> dict[str, float]:
    """Return heights of labels, moved down so that no two overlap."""
    found: dict[str, float] = {}
    last = -100.0
    for name, height in sorted(ends, key=lambda item: item[1]):
        last = max(height, last + 16)
        found[name] = last
    return found


def _picture(height: int, parts: Sequence[str], label: str) -> str:
    inner = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" height="{height}" '
        f'role="img" aria-label="{escape(label, {chr(34): "&quot;"})}" {_FONT} fill="{_INK}">\n'
        f'<rect width="{_WIDTH}" height="{height}" fill="#ffffff"/>\n{inner}\n</svg>\n'
    )
