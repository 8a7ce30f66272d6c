"""A statement as a page that needs nothing else, and as CSV."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from podshop.report.page import environment
from podshop.report.statement import NOT_RECORDED, PNL

LIMIT_NAMES = {
    "max_var": "VaR, one day, 95 %", "max_gross": "Gross", "max_net": "Net", "max_weight": "Largest market",
    "max_cluster": "Markets that move as one",
}  # fmt: skip


def page(told: Mapping[str, Any]) -> str:
    """The statement of a day as HTML."""
    return (
        environment()
        .get_template("statement.html")
        .render(
            told=told,
            weekday=date.fromisoformat(told["period"]["date"]).strftime("%A"),
            families_known=any(row["name"] != NOT_RECORDED for row in told["pnl"]["by_family"][:-1]),
            limit_names=LIMIT_NAMES,
        )
    )


def csv(told: Mapping[str, Any]) -> str:
    """The statement as lines `section,name,market,measure,value,unit`; what is unknown has no line."""
    lines = ["section,name,market,measure,value,unit"]
    lines += [",".join(map(_cell, row)) for row in _rows(told) if row[4] is not None]
    return "\n".join(lines) + "\n"


def _rows(told: Mapping[str, Any]) -> Iterator[tuple[Any, ...]]:
    yield ("signature", "", "", "date", told["period"]["date"], "text")
    for name, value in told["signature"].items():
        yield ("signature", "", "", name, value, "text")
    for name in ("fund", "simulated", "policy", "trials"):
        yield ("run", "", "", name, told[name], "text")
    for name, value in told["period"].items():
        yield ("period", "", "", name, value, "text")
    yield from _measures("nav", "", "", told["nav"])
    pnl = told["pnl"]
    for row in pnl["by_agent"]:
        yield ("agent", row["name"], "", "family", row["family"], "text")
        yield ("agent", row["name"], "", "horizon", row["horizon"], "text")
    by = {key.removeprefix("by_").replace("_", " "): pnl[key] for key in pnl if key.startswith("by_")}
    for section, rows in ({"fund": [{"name": "", **pnl["total"]}]} | by).items():
        for row in rows:
            market = row["name"] if section == "market" else row.get("market", "")
            name = "" if section == "market" else row["name"]
            for part in PNL:
                yield (f"pnl by {section}", name, market, part, row[f"{part}_micro"], "micro-USD")
    for row in told["books"]:
        yield from _measures("book", row["name"], "", row)
    for name in ("gross", "net"):
        yield ("exposure", "", "", name, told["exposure"][name], "of NAV")
    for row in told["exposure"]["markets"]:
        yield from _measures("exposure", "", row["name"], row)
    for row in told["limits"]:
        for name in ("bound", "tightest", "used", "highest"):
            market = row["highest_of"] if name == "highest" else row["of"]
            yield ("limit", row["name"], market, name, row[name], "of NAV")
    for ruling in (told["office"] or {}).get("rulings", ()):
        yield ("ruling", ruling["at"], "", ruling["state"], ruling["reason"], "text")
    for row in told["verdicts"]["by_code"]:
        for name in ("approve", "shrink", "veto"):
            yield ("verdict", row["code"], "", name, row.get(name), "orders")
    for row in told["verdicts"]["books"]:
        yield ("book verdict", row["code"], "", "count", row["count"], "rows")
    for row in told["moves"]:
        yield from _measures("move", row["book"], "", {key: row[key] for key in row if key != "book"})
    yield from _measures("capital", "", "", told["capital"] or {})
    for row in told["stages"]:
        yield from _measures("stage", row["book"], "", {key: row[key] for key in row if key != "book"})
    residuals = told["residuals"]
    for name in ("nav_micro", "venue_lots", "venue_micro", "transfers_micro"):
        yield from _measures("residual", "", "", {name: residuals[name]})
    for name in ("books_micro", "daily_rows_micro"):
        for book, value in (residuals[name] or {}).items():
            yield from _measures("residual", book, "", {name: value})


def _measures(section: str, name: str, market: str, row: Mapping[str, Any]) -> Iterator[tuple[Any, ...]]:
    """Every value of a row; its unit is read from the key."""
    for key, value in row.items():
        if key == "name":
            continue
        unit = (
            "micro-USD" if key.endswith("_micro") else "lots" if "lots" in key
            else "text" if isinstance(value, str) else "fraction"
        )  # fmt: skip
        yield (section, name, market, key.removesuffix("_micro"), value, unit)


def _cell(value: Any) -> str:
    text = repr(value) if isinstance(value, float) else str(value)
    return '"' + text.replace('"', '""') + '"' if set(text) & set(',"\n') else text
