"""The scorecards of all signal agents: a table in words, and one HTML file with a heat map of who agrees with whom."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from podshop.report.heat import heat_map
from podshop.report.page import environment, number, percent
from podshop.report.silence import MOSTLY, silent_lines


def scorecard_page(result: Mapping[str, Any]) -> str:
    """Write the page.

    result  what `podshop agents score --json` prints, see `podshop.research.score`
    """
    return environment().get_template("scorecard.html").render(
        result=result,
        heat=heat_map(result["names"], result["correlations"]),
        cards=[_card(card, result["cost_bps"]) for card in result["agents"]],
        interval=interval,
    )  # fmt: skip


def scorecard_text(result: Mapping[str, Any]) -> str:
    """The same in a screen of words: one line for each agent."""
    period, luck = result["period"], result["luck"]
    simulated = "SIMULATED DATA: not performance. " if result.get("simulated") else ""
    lines = [
        f"{simulated}Signal agents of {result['fund']}, {period['since'][:10]} to {period['until'][:10]}, gross, "
        f"{result['trials']} trials; brackets are 90 % intervals",
        *([f"trials in the ledger: {result['trials_note']}"] if result.get("trials_note") else []),
        "",
        f"{'agent':<20} {'horizon':>8} {'covers':>7}  {'information coefficient':<26} {'right %':<20} {'a day':>6}  "
        f"{'break-even bps':<26} above {result['cost_bps']:g}?",
    ]
    lines += [
        f"{card['name']:<20} {number(card['horizon_hours'] / 24, 1) + ' d':>8} {percent(card['coverage'], 0):>7}  "
        f"{interval(card['ic']):<26} {interval(card['hit_rate'], 1, 100.0):<20} {number(card['turnover_per_day']):>6}  "
        f"{interval(card['break_even_bps'], 1):<26} {card['pays']}"
        for card in result["agents"]
    ]
    lines += [
        "",
        f"{luck['above_zero']} of {luck['scored']} coefficients lie above zero and {luck['below_zero']} below; "
        f"of as many worthless agents {number(luck['expected_by_luck'], 1)} would lie above by luck.",
    ]
    silent = [f"{card['name']}: {line}" for card in result["agents"] for line in silent_lines(card["silent"], MOSTLY)]
    return "\n".join([*lines, *(["", "No opinion for a fifth of the time or more:"] if silent else []), *silent])


def interval(found: Mapping[str, Any], digits: int = 3, scale: float = 1.0) -> str:
    """A value with its interval, for people.

    >>> interval({"value": 0.021, "low": -0.01, "high": 0.05}), interval({"value": float("nan")})
    ('0.021 (−0.010 to 0.050)', '–')
    """
    value, low, high = (_scaled(found.get(key), scale) for key in ("value", "low", "high"))
    if value is None or math.isnan(value):
        return number(None)
    if low is None or high is None or math.isnan(low):
        return f"{number(value, digits)} (too few)"
    return f"{number(value, digits)} ({number(low, digits)} to {number(high, digits)})"


def _card(card: Mapping[str, Any], cost_bps: float) -> dict[str, Any]:
    """One agent's card with the words that its figures need."""
    even = card["break_even_bps"]
    pays = {
        "yes": f"more than the {cost_bps:g} bps that a trade costs",
        "no": f"less than the {cost_bps:g} bps that a trade costs: it cannot pay its way",
        "cannot tell": f"too uncertain to say whether that is more than the {cost_bps:g} bps a trade costs",
        "unknown": "too little to say",
    }[card["pays"]]
    return {
        **card,
        "ic_text": interval(card["ic"]),
        "hit_text": interval(card["hit_rate"], 1, 100.0),
        "even_text": interval(even, 1),
        "coverage_text": percent(card["coverage"], 0),
        "pays_text": pays,
        "sharper_figures": {**card["sharper"], "value": card["sharper"]["difference"]},
        "decay_bars": _bars(card["decay"]),
        "reliability": [
            row | {"text": interval({**row, "value": row["hit_rate"]}, 1, 100.0)} for row in card["calibration"]
        ],
        "calibrated_rows": [
            row | {"text": interval({**row, "value": row["hit_probability"]}, 1, 100.0)}
            for row in card["calibrated"] or ()
        ],
        "silent_text": silent_lines(card["silent"]),
    }


def _bars(decay: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Rows of the decay: the coefficient, and where its bar begins and ends in percent of a scale from -0.2 to 0.2."""
    rows = []
    for row in decay:
        value = row["ic"] if row["ic"] is not None and not math.isnan(row["ic"]) else None
        place = 50.0 if value is None else min(max(50 + 250 * value, 0.0), 100.0)
        rows.append(
            {"lag_bars": row["lag_bars"], "text": number(value, 3), "left": min(place, 50.0), "width": abs(place - 50)}
        )
    return rows


def _scaled(value: float | None, scale: float) -> float | None:
    return None if value is None else scale * value
