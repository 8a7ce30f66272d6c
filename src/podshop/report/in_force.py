"""The limits that were in force over a stretch, how much of each was used, and what the risk office changed.

The office's rulings stand beside the record's tables, oldest first; the fund file's own limits hold before the first. A
ruling of time t binds the orders of t, so what a NAV row of t shows was made under the ruling before it.
"""

from typing import Any

import numpy as np

from podshop.nouns import Panel, Times
from podshop.report import accounts
from podshop.report.accounts import Record

Row = dict[str, Any]

FILE, AGENT = "fund file", "a risk agent"


def limits(record: Record, since_ns: int, end_ns: int) -> list[Row]:
    """One row for each limit: used at the end, and at most at any mark of the stretch; fractions of NAV.

    -> bound in force at the end, `tightest` of the stretch, used, highest, share (the most that was used of what was in
       force then), the fullest market or cluster, `by`: who set the bound at the end, as far as the record says
    """
    nav = record.tables["nav"]
    shown = (nav["time"] >= since_ns) & (nav["time"] <= end_ns)
    time = nav["time"][shown]
    weight = accounts.weights(record, since_ns, end_ns)
    found = {
        "max_var": nav["var"][shown],
        "max_gross": nav["gross"][shown],
        "max_net": np.abs(nav["net"][shown]),
    }
    rows = [_row(record, name, time, used[:, None], ("",)) for name, used in found.items()]
    rows.append(_row(record, "max_weight", time, np.abs(weight), record.markets))
    return [row for row in rows if row] + _clusters(record, time, weight)


def office(record: Record, since_ns: int, end_ns: int) -> Row | None:
    """What the risk office ruled: state and throttles at the end, each change of the stretch; None = not kept."""
    if not record.rulings:
        return None
    last = _last(record, end_ns)
    books = record.books[:-1]
    return {
        "version": last["version"],
        "state": last["state"],
        "fund_throttle": last["fund_throttle"],
        "throttles": {name: t for name, t in zip(books, last["throttle"], strict=False) if t != 1.0},
        "rulings": [
            {key: ruling[key] for key in ("at", "version", "state", "reason", "faults")}
            for ruling in record.rulings
            if since_ns <= ruling["at_ns"] < end_ns
        ],
    }


def bounds(record: Record, name: str, time: Times) -> Panel:
    """(T,) or, of `max_weight`, (T, M) the bound that NAV rows of these times stood under; NaN where there is none."""
    told = record.result["limits"].get(name)
    first = np.nan if told is None else float(told)
    at = np.searchsorted([ruling["at_ns"] for ruling in record.rulings], time, side="left")
    if name == "max_weight":
        rows = [np.full(len(record.markets), first), *(np.array(ruling[name]) for ruling in record.rulings)]
    else:
        rows = [np.array(first), *(np.array(ruling[name]) for ruling in record.rulings)]
    return np.array(rows, np.float64)[at]


def _row(record: Record, name: str, time: Times, used: Panel, names: tuple[str, ...]) -> Row:
    """used: (T, N) of N things that share a kind of limit, of which the fullest is told; empty where nothing binds."""
    bound = bounds(record, name, time).reshape(len(time), -1) * np.ones(used.shape[1])
    if name not in record.result["limits"] and not record.rulings:
        return {}
    share = np.where(np.isfinite(used) & (bound > 0), used / np.where(bound > 0, bound, 1.0), -1.0)
    end, most = int(share[-1].argmax()), int(share.max(axis=0).argmax())
    known = used[np.isfinite(used)]
    last = _last(record, int(time[-1]))
    return {
        "name": name,
        "bound": float(bound[-1, end]),
        "tightest": float(bound.min()),
        "used": float(used[-1, end]),
        "highest": float(known.max()) if len(known) else float("nan"),
        "share": float(share.max()) if share.max() >= 0 else float("nan"),
        "of": names[end] if used[-1].any() else "",
        "highest_of": names[most] if np.nan_to_num(used).any() else "",
        "by": str(last.get("by", {}).get(name, FILE if bound[-1, end] == record.result["limits"].get(name) else AGENT)),
    }


def _clusters(record: Record, time: Times, weight: Panel) -> list[Row]:
    """Markets that count as one: the clusters at the end, their net weight then and at most since they were made."""
    last = _last(record, int(time[-1]))
    rows = []
    since = time > last.get("at_ns", 0)
    for members, cap in zip(last.get("clusters", ()), last.get("max_cluster", ()), strict=True):
        net = np.abs(weight[:, members].sum(axis=1))
        of = ", ".join(record.markets[m] for m in members)
        rows.append(
            {
                "name": "max_cluster",
                "bound": float(cap),
                "tightest": float(cap),
                "used": float(net[-1]),
                "highest": float(net[since].max()) if since.any() else float(net[-1]),
                "share": float(net[since].max() / cap) if since.any() and cap > 0 else float("nan"),
                "of": of,
                "highest_of": of,
                "by": AGENT,
            }
        )
    return rows


def _last(record: Record, end_ns: int) -> dict[str, Any]:
    """The ruling that a NAV row of this time stood under; empty = the fund file's own limits."""
    before = [ruling for ruling in record.rulings if ruling["at_ns"] < end_ns]
    return dict(before[-1]) if before else {"state": "RUNNING", "version": 0, "fund_throttle": 1.0, "throttle": []}
