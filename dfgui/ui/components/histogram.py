"""How many rows are how long: a bar for each range of lengths, a line where max_length cuts.

    draw([[0, 64, 310], [64, 128, 92], [128, 50_001, 1]], max_length=100, spoken="Tokens per row: half up to ...")

Ranges at the end may be wider than the others (see data/statistics.py); their bars are wider too, and set apart.
"""

from html import escape
from itertools import takewhile

from dfgui.views import findings

WIDE = 2  # times as wide as others are the bars at the end that collect a wider range

Bar = list[int]  # from, to (not included), rows


def draw(bars: list[Bar], max_length: int, spoken: str) -> str:
    """The histogram as HTML; `spoken` says in words what it shows."""
    most = max((rows for _, _, rows in bars), default=1)
    even = list(takewhile(lambda bar: bar[1] - bar[0] == bars[0][1], bars))
    spans = [1] * len(even) + [WIDE] * (len(bars) - len(even))
    drawn = "".join(_bar(bar, span, most, max_length) for bar, span in zip(bars, spans, strict=True))
    picture = f'<div class="histogram" role="img" aria-label="{escape(spoken)}">{drawn}'
    axis = f"{even[-1][1] if even else 1:,} tokens{' or more' if len(even) < len(bars) else ''}"
    return f'{picture}{_line(bars, spans, max_length)}</div><p class="axis"><span>0</span><span>{axis}</span></p>'


def _bar(bar: Bar, span: int, most: int, max_length: int) -> str:
    start, end, rows = bar
    kind = " ".join(name for name, fits in {"over": start >= max_length, "more": span == WIDE}.items() if fits)
    words = f"{start:,} to {end - 1:,} tokens: {findings.rows(rows)}"
    return f'<i style="--height: {rows / most:.3f}" class="{kind}" title="{words}"></i>'


def _line(bars: list[Bar], spans: list[int], max_length: int) -> str:
    """Nothing where all rows end before it."""
    if not bars or max_length >= bars[-1][1]:
        return ""
    parts = [
        span * min(max(max_length - start, 0) / (end - start), 1)
        for (start, end, _), span in zip(bars, spans, strict=True)
    ]
    at = sum(parts) / sum(spans)
    side = "before" if at > 0.5 else "after"
    return f'<b style="--at: {at:.4f}" class="{side}">max_length {max_length:,}</b>'
