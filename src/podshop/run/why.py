"""Why a market was traded, or was not, at one cycle: who said what, what each book made of it, what the gate ruled.

The record says what was wished, ruled and filled; what agents said is asked again (`podshop.run.hindsight`), and what
follows from it is held against the record: a wish that is not what the shadow's target comes to at the book's capital
and throttle is reported, not hidden.
"""

from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import numpy as np

from podshop.nouns import ConfigError, duration_ns, utc_text
from podshop.nouns.verdict import CODES, HOUSE, NET
from podshop.run.config.sections import Fund
from podshop.run.hindsight import Decision, Hindsight, look_back
from podshop.run.kept import Kept, again
from podshop.run.why_not import why_not
from podshop.run.written import Written

Row = dict[str, Any]

LIMIT_OF = {  # code -> the limit that it is about; the others are rules of the gate, the venue or the mandate
    "OK": "max_weight", "POSITION_CAP": "max_weight", "CURE": "max_weight", "GROSS": "max_gross", "VAR": "max_var",
    "REDUCES_COIN_RAISES_VAR": "max_var", "ORDER_SIZE": "max_order", "NET": "max_net", "CLUSTER": "max_cluster",
    "HALTED": "state", "REDUCE_ONLY": "state",
}  # fmt: skip
RULE_OF = {
    "MIN_ORDER": "fund file, limits.min_order_usd",
    "VENUE_MIN": "the venue's smallest order",
    "STALE_PRICE": "a rule of the gate",
    "NO_HISTORY": "a rule of the gate",
    "FROZEN_PRICE": "a rule of the gate",
    "RESTING": "a rule of the gate",
    "LIQUIDITY": "what the market offers",
    "BOOK_GROSS": "fund file, limits.book_gross",
    "COST_GATE": "the mandate, cost_factor",
    "COST_BUDGET": "the mandate, cost_budget",
}


def why(folder: Path, market: str, at_ns: int | None, absence: bool = False) -> dict[str, Any]:
    """What `podshop why --json` prints.

    folder   of a finished record
    market   a market of its fund, in any case
    at_ns    the last decision by then is explained; None = the last one with an order, or with `absence` the last
    absence  say as `not` what stood in the way of a trade
    Raises ConfigError for a market or time that the record does not have, DataError where it cannot be asked again.
    """
    kept = again(folder)
    market = _market(kept.fund, market)
    written = Written(folder, market)
    at_ns = _moment(kept, written, market, at_ns, absence)
    past = look_back(kept.fund, kept.world, market, at_ns)
    found = _joined(kept, written, past, market, at_ns)
    return found | ({"not": why_not(found, past)} if absence else {})


def _market(fund: Fund, asked: str) -> str:
    names = fund.market.markets
    if asked.upper() in names:
        return asked.upper()
    near = get_close_matches(asked.upper(), names, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"it has {', '.join(names)}"
    raise ConfigError(f"{asked!r} is not a market of this fund, {hint}")


def _moment(kept: Kept, written: Written, market: str, asked: int | None, absence: bool) -> int:
    """The decision time that is meant."""
    times = kept.world.decision_times()
    times = times[times < written.end_ns]
    if asked is None and not absence:
        if written.last_verdict_ns is None:
            raise ConfigError(f"nobody ever wanted to trade {market} in {kept.folder}: podshop why --not {market}")
        return written.last_verdict_ns
    if asked is None:
        return int(times[-1])
    if not times[0] <= asked <= written.end_ns:
        raise ConfigError(
            f"{utc_text(asked)} is outside of the record in {kept.folder}: it decides from {utc_text(int(times[0]))} "
            f"to {utc_text(int(times[-1]))}"
        )
    return int(times[int(np.searchsorted(times, asked, side="right")) - 1])


def _joined(kept: Kept, written: Written, past: Hindsight, market: str, at_ns: int) -> dict[str, Any]:
    """Everything but the absence."""
    fund, facts, m = kept.fund, past.facts, past.m
    scale = fund.instruments[m].lot_micro_scale
    interval_ns = duration_ns(fund.market.interval)
    ruling = _ruling(kept, at_ns)
    books = [
        _book(kept, written, past, name, at_ns, ruling)
        for name in (mandate.name for mandate in fund.mandates if market in mandate.markets)
    ]
    fills = written.fills_at(at_ns, interval_ns)
    return {
        "fund": fund.name,
        "simulated": kept.world.simulated,
        "record": str(kept.folder),
        "market": market,
        "time": utc_text(at_ns),
        "warnings": list(kept.warnings),
        "price": {
            "mark": _price(int(facts.mark[0, m]), scale),
            "age_bars": int(facts.age[0, m]),
            "next_open": _price(int(facts.reference[0, m]), scale),
            "lot_size": fund.instruments[m].lot_size,
            "usd_per_lot": int(facts.mark[0, m]) / 1e6,
        },
        "signals": _signals(fund, past, market, at_ns),
        "books": books,
        "net": _net(kept, written, past, at_ns, ruling, books, fills),
        "fills": fills,
        "differs": [text for book in books for text in book["differs"]],
    }


def _signals(fund: Fund, past: Hindsight, market: str, at_ns: int) -> list[Row]:
    """Each signal that some book of this market hears: its conviction, its voice, and since when it says so."""
    found = []
    for seat in (seat for seat in fund.signals if seat.name in past.said):
        said = past.said[seat.name]
        row = said.at(at_ns)
        conviction, voice = (said.conviction[row], said.voice[row]) if row >= 0 else (np.nan, np.nan)
        since_ns, before = said.since(at_ns)
        found.append(
            {
                "name": seat.name,
                "kind": seat.kind,
                "bar": seat.agent.bar,
                "covers": market in seat.markets,
                "bar_closed": None if row < 0 else utc_text(int(said.time[row])),
                "conviction": float(conviction),
                "voice": float(voice),
                "state": "none" if np.isnan(voice) else "open" if voice != 0 else "shut",
                "since": None if since_ns is None else utc_text(since_ns),
                "since_before_the_run": before,
                "opens_at": float(fund.confidence.open),
                "shuts_below": float(fund.confidence.close),
            }
        )
    return found


def _book(
    kept: Kept, written: Written, past: Hindsight, name: str, at_ns: int, ruling: Mapping[str, Any]
) -> dict[str, Any]:
    """One book: what it heard, decided and wished, and whether the record agrees."""
    fund = kept.fund
    b, mandate = next((b, m) for b, m in enumerate(fund.mandates) if m.name == name)
    decided, now = past.decided[name], past.now[name]
    held, wish = written.held(name, at_ns), written.wish(name, at_ns)
    capital = written.capital(name, at_ns)
    cadence_ns = max(duration_ns(mandate.cadence), duration_ns(fund.market.interval))
    return {
        "name": name,
        "horizon": mandate.horizon,
        "style": mandate.style,
        "cadence": mandate.cadence,
        "decided": None if decided is None else utc_text(decided.at_ns),
        "due": utc_text((at_ns // cadence_ns + 1) * cadence_ns),
        "heard": _heard(past, mandate.listens, at_ns if decided is None else decided.at_ns),
        "blend": np.nan if decided is None else decided.opinion,
        "multiplier": now.multiplier if decided is None else decided.multiplier,
        "slope": 0.0 if decided is None else decided.slope,
        "held_back": _held_back(decided),
        "blend_now": now.opinion,
        "full_lots": now.full,
        "band_lots": now.band,
        "blocked": now.blocked,
        "shadow_lots": now.lots,
        "shadow_target_lots": now.target,
        "urgent": now.urgent,
        "reference_usd": fund.capital_usd,
        "capital_usd": capital / 1e6,
        "throttle": ruling["throttle"][b],
        "fund_throttle": ruling["fund_throttle"],
        "wished_lots": wish["lots"],
        "wished_since": wish["since"],
        "wished_at_mark": _price(wish["mark_micro"], fund.instruments[past.m].lot_micro_scale),
        "held_lots": held,
        "wants_lots": wish["lots"] - held,
        "notes": [] if decided is None else _notes(written.own_verdicts(name, decided.at_ns)),
        "differs": [] if decided is None else _differs(kept, written, name, b, decided),
    }


def _heard(past: Hindsight, listens: Mapping[str, float], at_ns: int) -> list[Row]:
    """Each voice with its weight at the book's last cadence, and what it adds before the multiplier."""
    total = sum(abs(w) for w in listens.values())
    found = []
    for name, weight in listens.items():
        said = past.said[name]
        row = said.at(at_ns)
        voice = float(said.voice[row]) if row >= 0 else np.nan
        found.append({"signal": name, "weight": weight, "voice": voice, "adds": weight * voice / total})
    return found


def _held_back(decided: Decision | None) -> Row | None:
    if decided is None or decided.held_back is None:
        return None
    held = decided.held_back
    return {"code": held.code, "lots": held.lots, "measured": held.measured, "bound": held.bound}


def _notes(rows: list[Row]) -> list[Row]:
    return [row | {"meaning": CODES[row["code"]], "set_by": RULE_OF.get(row["code"])} for row in rows]


def _differs(kept: Kept, written: Written, name: str, b: int, decided: Decision) -> list[str]:
    """What does not follow: a cadence's wish is the shadow's target at the book's capital and throttle, to the lot.

    A market that has died is settled, and wishes nothing.
    """
    at_ns = decided.at_ns
    ruling = _ruling(kept, at_ns)
    reference_micro = round(kept.fund.capital_usd * 1e6)
    factor = written.capital(name, at_ns) * ruling["throttle"][b] * ruling["fund_throttle"] / reference_micro
    expected = int(decided.target * factor)
    for row in written.own_verdicts(name, at_ns):
        if row["code"] == "BOOK_GROSS":
            expected = row["allowed_lots"]
    wished = written.wish(name, at_ns)["lots"]
    found = []
    if wished != expected:
        found.append(
            f"{name} wished {wished:,} lots at {utc_text(at_ns)}, and {expected:,} follow from what its signals say now"
        )
    return found


def _net(
    kept: Kept, written: Written, past: Hindsight, at_ns: int, ruling: Mapping[str, Any], books: list[Row],
    fills: list[Row],
) -> dict[str, Any]:  # fmt: skip
    """All wishes together, what crossed, and the verdict on the rest."""
    verdict = next((row for row in written.own_verdicts(NET, at_ns)), None)
    house = written.held(HOUSE, at_ns)
    crossed = sum(row["lots"] for row in fills if row["kind"] == "cross" and row["lots"] > 0)
    out: dict[str, Any] = {
        "held_lots": sum(book["held_lots"] for book in books) + house,
        "house_lots": house,
        "wished_lots": sum(book["wished_lots"] for book in books),
        "buys_lots": sum(max(book["wants_lots"], 0) for book in books),
        "sells_lots": sum(max(-book["wants_lots"], 0) for book in books),
        "crossed_lots": crossed,
        "nav_usd": written.nav(at_ns) / 1e6,
        "state": ruling["state"],
        "verdict": None,
    }
    if verdict is None:
        return out
    by = kept.limits.get(verdict["limits_version"], ruling)
    return out | {
        "verdict": verdict["verdict"],
        "code": verdict["code"],
        "meaning": CODES[verdict["code"]],
        **{key: verdict[key] for key in ("wanted_lots", "allowed_lots", "filled_lots", "resting_lots")},
        "measured": verdict["measured"],
        "bound": verdict["bound"],
        "limits_version": verdict["limits_version"],
        "limits_since": by["at"],
        "set_by": _set_by(kept.fund, by, verdict["code"], past.m),
        "reason": by["reason"],
    }


def _set_by(fund: Fund, ruling: Mapping[str, Any], code: str, m: int) -> str:
    """Who set the limit that a code is about."""
    limit = LIMIT_OF.get(code)
    if limit is None:
        return RULE_OF[code]
    if limit in ruling["by"]:
        return f"{ruling['by'][limit]}, {limit}"
    if limit == "max_weight":
        of_file = ruling["max_weight"][m] == fund.limits.max_weight
        return "fund file, limits.max_weight" if of_file else "a risk agent, max_weight"
    if limit == "state":
        return f"{', '.join(ruling['faults']) or 'a risk agent'}, state"
    return f"a risk agent, {limit}"


def _ruling(kept: Kept, at_ns: int) -> Mapping[str, Any]:
    """The limits in force at a decision."""
    return [ruling for ruling in kept.limits.values() if ruling["at_ns"] <= at_ns][-1]


def _price(micro: int, scale: float) -> float | None:
    """USD per base unit; None where it did not trade."""
    return micro / scale if micro else None
