"""What `podshop realistic` found as a page that needs nothing else, and as the tables of docs/realistic.md.

    python -m podshop.research.realistic_page FILE DATA

measures again and puts the tables into FILE: two and a half years, the same that the other pages tell of.
"""

import sys
from pathlib import Path
from typing import Any

import numpy as np

from podshop.nouns import DAY_NS
from podshop.report.chart import Chart, Series, chart
from podshop.report.page import environment, number, percent
from podshop.research.cost_gate import put
from podshop.research.realistic import Found, realistic

SINCE_NS, UNTIL_NS = 18_993 * DAY_NS, 19_905 * DAY_NS  # 2022-01-01, 2024-07-01
WHO = {
    "one": "one strategy, chosen before",
    "one_scaled": "the same at the fifty's volatility",
    "starter": "3 strategies x 5 markets",
    "fifty": "fifty agents",
}
SHORT = {"one": "one", "starter": "3 x 5", "fifty": "fifty"}
STYLES = {"one": "loss", "starter": "b", "fifty": "a"}
SAID = {
    "yes": "yes, on these days",
    "no": "no: it was worse",
    "not shown": "not shown: the interval includes 0",
    None: "no claim is made",
}

Table = dict[str, Any]


def page(found: Found) -> str:
    """Everything on one page, readable on a phone."""
    answer = found.answer
    return (
        environment()
        .get_template("realistic.html")
        .render(
            found=answer,
            rows=path_rows(answer),
            questions=question_rows(answer),
            folds=fold_rows(answer),
            mandates=sorted(
                answer["mandates"], key=lambda row: -(row["sharpe"] if row["sharpe"] is not None else -1e9)
            ),
            charts=[equity(found, scaled=False), equity(found, scaled=True)],
            short=SHORT,
            with_evidence=with_evidence(answer),
        )
    )


def equity(found: Found, *, scaled: bool) -> Chart:
    """What 100 became; scaled: each path times a constant, so that all are as volatile as the fifty."""
    at = np.concatenate([found.day, [found.day[-1] + DAY_NS]])
    names = [name for name in SHORT if found.daily[name].std() > 0]
    size = {
        name: found.daily["fifty"].std() / found.daily[name].std() if scaled and "fifty" in names else 1.0
        for name in names
    }
    lines = [
        Series(at, 100 * np.cumprod(np.concatenate([[1.0], 1 + size[name] * found.daily[name]])), STYLES[name], label)
        for name, label in SHORT.items()
        if name in names
    ]
    ends = ", ".join(f"{line.label} ends at {line.value[-1]:.1f}" for line in lines)
    return chart(
        "The same, each at the volatility of the fifty" if scaled else "What 100 became, after all costs",
        ends,
        [Series(at[[0, -1]], np.full(2, 100.0), "base"), *lines],
        lambda value: f"{value:.1f}",
    )


def path_rows(answer: Table) -> list[Table]:
    """A row for each path, as text; hindsight last."""
    rows = []
    for name, title in WHO.items():
        row = answer["paths"][name]
        scale = answer["paths"]["one_scaled"]["times"] if name == "one_scaled" else 1.0
        costs = answer["paths"]["one" if name == "one_scaled" else name]
        extra = {key: scale * costs[key] for key in ("trading_costs", "funding_paid", "gross")}
        rows.append({"name": name, "title": title} | _text(row) | {k: percent(v) for k, v in extra.items()})
    best = answer["hindsight"]
    blank = dict.fromkeys(("trading_costs", "funding_paid", "gross"), "")
    rows.append({"name": "hindsight", "title": f"HINDSIGHT: {best['name']}"} | _text(best) | blank)
    return rows


def question_rows(answer: Table) -> list[Table]:
    """A row for each pair: differences as text, and what may be said."""
    rows = []
    for pair, found in answer["against"].items():
        s, r = found["sharpe"], found["mean_return"]
        rows.append(
            {
                "pair": " - ".join(SHORT[name] for name in pair.split(" - ")),
                "sharpe": interval(s["value"], s["low"], s["high"]),
                "sharpe_detectable": number(s["detectable"]),
                "return": interval(*(None if r[key] is None else 100 * r[key] for key in ("value", "low", "high"))),
                "return_detectable": number(None if r["detectable"] is None else 100 * r["detectable"]),
                "said": SAID[found["better"]],
            }
        )
    return rows


def fold_rows(answer: Table) -> list[Table]:
    """A row for each half-year: who was chosen, how it had looked, how it and the funds did."""
    return [
        {
            "since": fold["since"][:10],
            "chosen": fold["chosen"],
            "before": interval(*(fold["before"][key] for key in ("sharpe", "low", "high"))),
            "rank": "did not trade" if fold["rank_after"] is None else f"{fold['rank_after']} of {fold['of']}",
        }
        | {name: number(fold["after"][name]["sharpe"]) for name in SHORT}
        for fold in answer["folds"]
    ]


def with_evidence(answer: Table) -> list[str]:
    """What the funds would show had the test begun with the evidence: where a test begins is a choice, too."""
    return [
        f"{SHORT[name]} {percent(row['return'], sign=True)}, Sharpe "
        f"{interval(row['sharpe'], row['sharpe_low'], row['sharpe_high'])}"
        for name, row in answer["evidence"]["with_it"].items()
    ]


def did_worse(luck: Table) -> str:
    """Of the strategies drawn by lot, how many did worse than each path."""
    return ", ".join(f"{SHORT[name]} {percent(share, 0)}" for name, share in luck["below"].items())


def interval(value: float | None, low: float | None, high: float | None) -> str:
    """A figure and its 90 % interval."""
    return number(value) if low is None else f"{number(value)} ({number(low)} to {number(high)})"


def _text(row: Table) -> Table:
    return {
        "return": percent(row["return"], sign=True),
        "volatility": percent(row["volatility"]),
        "sharpe": interval(row["sharpe"], row["sharpe_low"], row["sharpe_high"]),
        "drawdown": percent(row["drawdown"]),
    }


def tables(answer: Table) -> str:
    """The tables of the docs, in markdown, with what they were measured on and with."""
    period, luck, trials = answer["period"], answer["luck"], answer["trials"]
    hashes = ", ".join(f"{name} {sha[:12]}" for name, sha in answer["decisions_sha256"].items())
    lines = [
        f"Test {period['since'][:10]} to {period['until'][:10]}, {period['days']} days, every {period['interval']}, "
        f"net of all costs; {answer['evidence']['days']} days before it are evidence only. Sharpe ratios annual with "
        f"90 % intervals. Trials: {trials['mandates']} mandates, {trials['funds']} funds, {trials['comparisons']} "
        f"comparisons; not deflated. Decisions: {hashes}; package {answer['package_sha256'][:12]}.",
        "",
        "| | return | volatility | Sharpe | drawdown | trading a year | funding paid a year | invested |",
        "|---|---|---|---|---|---|---|---|",
        *(
            f"| {row['title']} | {row['return']} | {row['volatility']} | {row['sharpe']} | {row['drawdown']} | "
            f"{row['trading_costs']} | {row['funding_paid']} | {row['gross']} |"
            for row in path_rows(answer)
        ),
        "",
        "| difference | Sharpe | detectable | mean return a year, % | detectable | better? |",
        "|---|---|---|---|---|---|",
        *(
            f"| {row['pair']} | {row['sharpe']} | {row['sharpe_detectable']} | {row['return']} | "
            f"{row['return_detectable']} | {row['said']} |"
            for row in question_rows(answer)
        ),
        "",
        "| from | chosen | its Sharpe before | its rank after | one | 3 x 5 | fifty |",
        "|---|---|---|---|---|---|---|",
        *(
            f"| {row['since']} | {row['chosen']} | {row['before']} | {row['rank']} | {row['one']} | "
            f"{row['starter']} | {row['fifty']} |"
            for row in fold_rows(answer)
        ),
        "",
        f"Luck: mandates drawn by lot at each cut, {luck['drawn']:,} times: median Sharpe ratio "
        f"{number(luck['middle'])}, nine of ten between {number(luck['low'])} and {number(luck['high'])}. Share of "
        f"them that did worse: {did_worse(luck)}.",
        "",
        f"The funds since {answer['evidence']['since'][:10]}, evidence and test: {'; '.join(with_evidence(answer))}.",
        "",
    ]
    return "\n".join(lines)


def main(file: Path, data: Path) -> None:
    """Measure and write."""
    put(file, "measured", tables(realistic(data, SINCE_NS, UNTIL_NS, lambda *_: None).answer))


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:3]))
