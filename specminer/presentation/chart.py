"""A chart of amounts by block, as SVG for the page: its colours come from the page's style, its texts are numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final
from xml.sax.saxutils import escape, quoteattr

WIDTH: Final = 900
HEIGHT: Final = 220
_LEFT, _RIGHT, _TOP, _BOTTOM = 8, 8, 26, 28


def steps(points: Sequence[tuple[int, int]], *, label: str, amounts: Callable[[int], str]) -> str:
    """Return a line of steps through (block, amount), ascending by block, with zero in it; nothing for no points."""
    if not points:
        return ""
    first, last = points[0][0], points[-1][0]
    high, low = max(0, *(amount for _, amount in points)), min(0, *(amount for _, amount in points))
    wide, tall = WIDTH - _LEFT - _RIGHT, HEIGHT - _TOP - _BOTTOM

    def across(block: int) -> float:
        return _LEFT + wide * (block - first) / max(last - first, 1)

    def down(amount: int) -> float:
        return _TOP + tall * (high - amount) / max(high - low, 1)

    line = f"M{across(first):.1f} {down(0):.1f}" + "".join(
        f"H{across(block):.1f}V{down(amount):.1f}" for block, amount in points
    )
    zero = down(0)
    texts = [
        (_LEFT, _TOP - 8, "start", amounts(high)),
        (_LEFT, HEIGHT - 8, "start", f"block {first:,}"),
        (WIDTH - _RIGHT, HEIGHT - 8, "end", f"block {last:,}"),
    ]
    if low < 0:
        texts.append((WIDTH - _RIGHT, _TOP - 8, "end", f"lowest: {amounts(low)}"))
    return (
        f'<svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label={quoteattr(label)}>'
        f'<path class="area" d="{line}V{zero:.1f}Z"/>'
        f'<path class="axis" d="M{_LEFT} {zero:.1f}H{WIDTH - _RIGHT}M{_LEFT} {_TOP}H{WIDTH - _RIGHT}"/>'
        f'<path class="line" d="{line}"/>'
        + "".join(
            f'<text x="{x}" y="{y}" text-anchor="{anchor}">{escape(text)}</text>'
            for x, y, anchor, text in texts
        )
        + "</svg>"
    )
