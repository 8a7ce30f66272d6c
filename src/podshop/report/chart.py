"""Charts as SVG text: lines, areas and bars over time, with round ticks.

The drawing stretches with the page (`preserveAspectRatio="none"`, strokes keep their width); the words around it are
placed in percent by the template, so that they stay readable on a phone. Colours are classes of the style sheet.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise

import numpy as np

from podshop.nouns import DAY_NS, SECOND_NS, Panel, Times

WIDE, HIGH = 1000, 300  # units of the drawing
BUCKETS = 400  # of a long series; each keeps its lowest and highest value, so no peak is lost
LAST_TICK = 97  # percent; a later label would leave the page

Tick = tuple[float, str]  # place in percent, text


@dataclass(frozen=True, slots=True)
class Shape:
    """One SVG path. `style` is a class of the style sheet; `label` stands in the legend, '' does not."""

    path: str
    style: str
    label: str = ""


@dataclass(frozen=True, slots=True)
class Chart:
    """What the template needs: shapes from back to front, ticks, and one sentence that says what is seen."""

    title: str
    alt: str
    shapes: tuple[Shape, ...]
    y_ticks: tuple[Tick, ...]
    x_ticks: tuple[Tick, ...]


@dataclass(frozen=True, slots=True)
class Series:
    """Values over time; NaN is a gap. `draw` is 'line', 'area' (to zero) or 'bars' (from zero)."""

    time: Times
    value: Panel
    style: str
    label: str = ""
    draw: str = "line"


def chart(
    title: str,
    alt: str,
    series: Sequence[Series],
    text: Callable[[float], str],
    *,
    bounds: tuple[float, float] | None = None,
    ticks: int = 4,
    across: int = 6,
) -> Chart:
    """Draw series on one scale.

    text    writes a value of the y axis
    bounds  values the scale must reach, such as (0, 0) to include zero; the scale ends at round numbers around all
    ticks, across  about how many marks the y axis and the x axis get
    """
    known = [s for s in series if np.isfinite(s.value).any()]
    lows = [float(np.nanmin(s.value)) for s in known] + ([bounds[0]] if bounds else [])
    highs = [float(np.nanmax(s.value)) for s in known] + ([bounds[1]] if bounds else [])
    marks = nice(min(lows, default=0.0), max(highs, default=1.0), ticks)
    low, high = marks[0], marks[-1]
    since, until = min(int(s.time[0]) for s in series), max(int(s.time[-1]) for s in series)
    until = max(until, since + 1)
    shapes = tuple(Shape(_path(s, since, until, low, high), s.style, s.label) for s in known)
    y_ticks = tuple((100 * (high - mark) / (high - low), text(mark)) for mark in marks)
    return Chart(title, alt, shapes, y_ticks, time_ticks(since, until, across))


def nice(low: float, high: float, count: int) -> list[float]:
    """Round numbers, evenly spaced, from at or below `low` to at or above `high`.

    >>> nice(0.0, 9.3, 4)
    [0.0, 5.0, 10.0]
    >>> nice(-0.031, 0.0, 4)
    [-0.04, -0.03, -0.02, -0.01, 0.0]
    """
    if not high > low:
        low, high = low - abs(low) * 0.01 - 1e-9, high + abs(high) * 0.01 + 1e-9
    rough = (high - low) / count
    power = 10.0 ** np.floor(np.log10(rough))
    step = next(power * m for m in (1, 2, 5, 10) if power * m >= rough * (1 - 1e-9))
    first, last = np.floor(low / step + 1e-9), np.ceil(high / step - 1e-9)
    return [float(round(k * step, 12)) for k in np.arange(first, last + 1)]


def time_ticks(since: int, until: int, count: int) -> tuple[Tick, ...]:
    """Starts of days, months, quarters or years, a handful of them."""
    days = (until - since) / DAY_NS
    start = datetime.fromtimestamp(since / SECOND_NS, UTC)
    if days < 60:
        step = next(n for n in (1, 2, 5, 7, 14) if days / n <= count or n == 14) * DAY_NS
        instants = [(at, _written(at, "%-d %b")) for at in range(-(-since // step) * step, until + 1, step)]
    else:
        months = next(n for n in (1, 2, 3, 6, 12, 24, 60) if days / 30.4 / n <= count or n == 60)
        instants = []
        for month in range(start.year * 12, (start.year + 2) * 12 + round(days / 30.4), months):
            at = int(datetime(month // 12, month % 12 + 1, 1, tzinfo=UTC).timestamp()) * SECOND_NS
            if since <= at <= until:
                instants.append((at, _written(at, "%b %Y" if months < 12 else "%Y")))
    places = [(100 * ((at - since) / (until - since)), text) for at, text in instants]
    return tuple(tick for tick in places if tick[0] <= LAST_TICK)


def _written(at: int, form: str) -> str:
    return datetime.fromtimestamp(at / SECOND_NS, UTC).strftime(form)


def _path(series: Series, since: int, until: int, low: float, high: float) -> str:
    time, value = (series.time, series.value) if series.draw == "bars" else thinned(series.time, series.value)
    x = WIDE * ((time - since) / (until - since))  # divided first: nanoseconds x 1000 leave int64
    y = HIGH * (high - value) / (high - low)
    zero = HIGH * (high - min(max(0.0, low), high)) / (high - low)
    known = np.isfinite(value)
    if series.draw == "bars":
        return "".join(f"M{a:.1f} {zero:.1f}V{b:.1f}" for a, b in zip(x[known], y[known], strict=True))
    pieces = []
    edges = np.flatnonzero(np.diff(np.concatenate(([False], known, [False])).astype(np.int8)))
    for a, b in zip(edges[::2], edges[1::2], strict=True):
        line = "L".join(f"{px:.1f} {py:.1f}" for px, py in zip(x[a:b], y[a:b], strict=True))
        pieces.append(f"M{x[a]:.1f} {zero:.1f}L{line}V{zero:.1f}Z" if series.draw == "area" else f"M{line}")
    return "".join(pieces)


def thinned(time: Times, value: Panel) -> tuple[Times, Panel]:
    """Of each of BUCKETS stretches the first, lowest, highest and last row; short series as they are."""
    if len(value) <= 4 * BUCKETS:
        return time, value
    edges = np.linspace(0, len(value), BUCKETS + 1).astype(np.int64)
    kept = {0, len(value) - 1}
    filled = np.where(np.isfinite(value), value, 0.0)
    for a, b in pairwise(edges):
        kept |= {int(a), int(a + filled[a:b].argmin()), int(a + filled[a:b].argmax()), int(b - 1)}
    kept |= set(np.flatnonzero(np.diff(np.isfinite(value))).tolist())  # where gaps begin and end
    at = np.array(sorted(kept))
    return time[at], value[at]
