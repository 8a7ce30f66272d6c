"""The rules of the audit: each takes the tables and returns the rows that break it.

A rule's answer has the columns row, cycle, seq (of the bad row), found and expected.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

import polars as pl

from podshop.nouns import ASSUMED_SOURCE

# table -> its rows, with their number in `row`; "nav again" and "books again" -> the same with what they should hold
Record: TypeAlias = Mapping[str, pl.LazyFrame]

ORDERED = ("nav", "marks", "fills", "funding", "transfers", "verdicts", "books", "wishes", "costs")
CAPS = ("POSITION_CAP", "CURE")  # codes of a market's cap
INSIDE = ("cross", "house")  # kinds of fills that move lots between books, not to the venue
WIDE = pl.Int128
EXACT = 1e-9  # of a figure kept as a float: far above rounding, far below what anyone reads


def wide(name: str) -> pl.Expr:
    """A whole column that no product or sum can overflow."""
    return pl.col(name).cast(WIDE)


def order(table: str) -> Callable[[Record], pl.LazyFrame]:
    def check(record: Record) -> pl.LazyFrame:
        before = record[table].with_columns(before=pl.col("seq").shift(1), earlier=pl.col("cycle").shift(1))
        return before.filter((pl.col("seq") <= pl.col("before")) | (pl.col("cycle") < pl.col("earlier"))).with_columns(
            found=pl.format("cycle {}, seq {}", "cycle", "seq"),
            expected=pl.format("after cycle {}, seq {}", "earlier", "before"),
        )

    return check


def in_cycle(table: str) -> Callable[[Record], pl.LazyFrame]:
    def check(record: Record) -> pl.LazyFrame:
        """Cycle k owns (t_{k-1}, t_k]; the interval is that of the NAV rows."""
        interval = record["nav"].select(
            interval=(
                (pl.col("time").last() - pl.col("time").first()).dt.total_nanoseconds()
                // (pl.col("cycle").last() - pl.col("cycle").first())
            )
        )
        at, length = pl.col("time").to_physical(), pl.col("interval")
        timed = record[table].join(interval, how="cross").filter(-(-at // length) != pl.col("cycle"))
        return timed.with_columns(found=pl.col("time"), expected=pl.format("cycle {}", -(-at // length)))

    return check


def fill_cash(record: Record) -> pl.LazyFrame:
    owed = wide("lots") * wide("price_micro") + wide("fee_micro")
    return (
        record["fills"]
        .filter(wide("cash_micro") + owed != 0)
        .with_columns(found=pl.col("cash_micro"), expected=WIDE_ZERO - owed)
    )


def fill_fee(record: Record) -> pl.LazyFrame:
    return record["fills"].filter(pl.col("fee_micro") < 0).with_columns(found="fee_micro", expected=pl.lit("0 or more"))


def fill_price(record: Record) -> pl.LazyFrame:
    scale = record["markets"].select("market", "lot_micro_scale")
    whole = (pl.col("price") * pl.col("lot_micro_scale")).round()
    priced = record["fills"].select("row", "cycle", "seq", "market", "price", "price_micro")
    bad = priced.join(scale, on="market", how="left").filter((whole != pl.col("price_micro")).fill_null(True))
    return bad.with_columns(found="price", expected=pl.col("price_micro") / pl.col("lot_micro_scale"))


def inside_price(record: Record) -> pl.LazyFrame:
    inside = record["fills"].filter(pl.col("kind").is_in(INSIDE))
    bad = inside.filter((pl.col("price_micro") != pl.col("reference_micro")) | (pl.col("fee_micro") != 0))
    return bad.with_columns(
        found=pl.format("price_micro {}, fee_micro {}", "price_micro", "fee_micro"),
        expected=pl.format("price_micro {}, fee_micro 0", "reference_micro"),
    )


def inside_zero(record: Record) -> pl.LazyFrame:
    inside = record["fills"].filter(pl.col("kind").is_in(INSIDE))
    sums = inside.group_by("cycle", "market", "kind").agg(
        pl.col("row").min(), pl.col("seq").min(), found=wide("lots").sum(), cash=wide("cash_micro").sum()
    )
    bad = sums.filter((pl.col("found") != 0) | (pl.col("cash") != 0))
    return bad.with_columns(found=pl.format("{} lots and {} micro-USD", "found", "cash"), expected=pl.lit("0 and 0"))


def transfer_zero(record: Record) -> pl.LazyFrame:
    between = record["transfers"].filter(pl.col("reason") != "deposit")
    sums = between.group_by("cycle").agg(pl.col("row").min(), pl.col("seq").min(), found=wide("cash_micro").sum())
    return sums.filter(pl.col("found") != 0).with_columns(expected=0)


def funding_lots(record: Record) -> pl.LazyFrame:
    paid = record["funding"].select("row", "cycle", "seq", "time", "market", "book", "lots")
    held = _held(record, paid, ("market", "book"))
    return held.filter(wide("lots") != pl.col("held")).with_columns(found="lots", expected="held")


def funding_cash(record: Record) -> pl.LazyFrame:
    """The house takes the rounding of all, so its rows are left to the NAV."""
    notional = wide("lots") * wide("mark_micro")
    assumed = pl.col("source") == ASSUMED_SOURCE
    cash = pl.when(assumed).then(notional.abs()).otherwise(notional).cast(pl.Float64) * -pl.col("rate")
    found = pl.when(assumed).then(-pl.col("cash_micro").abs()).otherwise(pl.col("cash_micro"))
    bad = record["funding"].filter((pl.col("book") != "house") & ((found - cash).abs() > 0.5 + EXACT * cash.abs()))
    return bad.with_columns(found=pl.col("cash_micro"), expected=cash.round(mode="half_to_even"))


def verdict_allowed(record: Record) -> pl.LazyFrame:
    """A market cap may turn an increase that is wanted into a reduction; nothing else may change its sign."""
    wanted, allowed = wide("wanted_lots"), wide("allowed_lots")
    inside = ((wanted > 0) & (allowed >= 0) & (allowed <= wanted)) | (
        (wanted < 0) & (allowed <= 0) & (allowed >= wanted)
    )
    right = (
        pl.when(pl.col("verdict") == "approve")
        .then(allowed == wanted)
        .when(pl.col("verdict") == "veto")
        .then(allowed == 0)
        .otherwise((inside | pl.col("code").is_in(CAPS)) & (allowed != wanted))
    )
    return (
        record["verdicts"]
        .filter(~right)
        .with_columns(
            found=pl.format("{} allows {}", "verdict", "allowed_lots"), expected=pl.format("wanted {}", "wanted_lots")
        )
    )


def verdict_filled(record: Record) -> pl.LazyFrame:
    joined = _net_verdicts(record).join(_venue_lots(record), on=("cycle", "market"), how="left")
    found, allowed, lots = pl.col("filled_lots"), pl.col("allowed_lots"), pl.col("lots").fill_null(0)
    within = (found == 0) | ((found.sign() == allowed.sign()) & (found.abs() <= allowed.abs()))
    bad = joined.filter((found.cast(WIDE) != lots) | ~within)
    return bad.with_columns(found=found, expected=pl.format("{}, allowed {}", lots, allowed))


def fill_verdict(record: Record) -> pl.LazyFrame:
    bad = _venue_lots(record).join(_net_verdicts(record), on=("cycle", "market"), how="anti")
    return bad.with_columns(found=pl.lit("none"), expected=pl.format("a NET verdict on {} in this cycle", "market"))


def nav_every_cycle(record: Record) -> pl.LazyFrame:
    expected = pl.col("cycle").shift(1) + 1
    return record["nav"].with_columns(expected=expected).filter(pl.col("cycle") != expected).with_columns(found="cycle")


def nav_cash(record: Record) -> pl.LazyFrame:
    return (
        record["nav again"]
        .filter(wide("cash_micro") != pl.col("cash"))
        .with_columns(found="cash_micro", expected="cash")
    )


def nav_value(record: Record) -> pl.LazyFrame:
    nav = pl.col("cash") + pl.col("value")
    return record["nav again"].filter(wide("nav_micro") != nav).with_columns(found="nav_micro", expected=nav)


def nav_gross(record: Record) -> pl.LazyFrame:
    return _share(record["nav again"], "gross", pl.col("absolute").cast(pl.Float64) / pl.col("nav_micro"))


def nav_net(record: Record) -> pl.LazyFrame:
    return _share(record["nav again"], "net", pl.col("value").cast(pl.Float64) / pl.col("nav_micro"))


def nav_drawdown(record: Record) -> pl.LazyFrame:
    nav = record["nav"].with_columns(peak=pl.col("nav_micro").cum_max())
    return _share(nav, "drawdown", 1 - pl.col("nav_micro") / pl.col("peak"))


def book_equity(record: Record) -> pl.LazyFrame:
    equity = pl.col("cash") + pl.col("value")
    bad = record["books again"].filter(wide("equity_micro") != equity)
    return bad.with_columns(found="equity_micro", expected=equity)


def book_capital(record: Record) -> pl.LazyFrame:
    moved = record["transfers"].group_by("time", "book").agg(moved=wide("cash_micro").sum())
    capital = wide("equity_micro") + pl.col("moved").fill_null(0)
    rows = record["books"].join(moved, on=("time", "book"), how="left").filter(wide("capital_micro") != capital)
    return rows.with_columns(found="capital_micro", expected=capital)


# What the rules share

WIDE_ZERO = pl.lit(0, WIDE)


def _share(rows: pl.LazyFrame, name: str, expected: pl.Expr) -> pl.LazyFrame:
    right = ((pl.col(name) - expected).abs() <= EXACT).fill_null(False)
    return rows.filter(~right).with_columns(found=name, expected=expected)


def _venue_lots(record: Record) -> pl.LazyFrame:
    venue = record["fills"].filter(pl.col("kind") == "venue")
    return venue.group_by("cycle", "market").agg(pl.col("row").min(), pl.col("seq").min(), lots=wide("lots").sum())


def _net_verdicts(record: Record) -> pl.LazyFrame:
    return record["verdicts"].filter(pl.col("book") == "NET")


def _until(rows: pl.LazyFrame, at: pl.LazyFrame) -> pl.LazyFrame:
    """To each row the first instant of `at` that comes after its time, in column `at`."""
    instants = at.select(pl.col("time").unique().sort()).with_columns(at="time")
    return rows.sort("time").join_asof(instants, on="time", strategy="forward", allow_exact_matches=False)


def _running(rows: pl.LazyFrame, by: Sequence[str], name: str) -> pl.LazyFrame:
    """Sum `name` per instant `at`, then over time, for each key."""
    sums = rows.filter(pl.col("at").is_not_null()).group_by("at", *by).agg(wide(name).sum()).sort("at")
    total = pl.col(name).cum_sum()
    return sums.with_columns((total.over(by) if by else total).alias(name)).rename({"at": "time"})


def _held(record: Record, rows: pl.LazyFrame, by: Sequence[str]) -> pl.LazyFrame:
    """Add `held`: the lots of all fills stamped before the row's time, of its market (and book)."""
    fills = _until(record["fills"].select("time", *by, "lots"), rows)
    held = _running(fills, by, "lots").rename({"lots": "held"})
    joined = rows.sort("time").join_asof(held, on="time", by=list(by), strategy="backward", check_sortedness=False)
    return joined.with_columns(pl.col("held").fill_null(WIDE_ZERO))


def _cash(record: Record, rows: pl.LazyFrame, by: Sequence[str]) -> pl.LazyFrame:
    """Add `cash`: of all rows stamped before the row's time."""
    parts = [
        _until(record[table].group_by("time", *by).agg(wide("cash_micro").sum()), rows)
        for table in ("fills", "funding", "transfers")
    ]
    cash = _running(pl.concat(parts), by, "cash_micro").rename({"cash_micro": "cash"})
    joined = rows.sort("time").join_asof(
        cash, on="time", by=list(by) or None, strategy="backward", check_sortedness=False
    )
    return joined.with_columns(pl.col("cash").fill_null(WIDE_ZERO))


def recomputed_nav(record: Record) -> pl.LazyFrame:
    """NAV rows with the recomputed `cash`, `value` and `absolute` value of the lots."""
    marks = record["marks"].select("time", "market", "mark_micro")
    worth = pl.col("held") * wide("mark_micro")
    values = _held(record, marks, ("market",)).group_by("time").agg(value=worth.sum(), absolute=worth.abs().sum())
    rows = _cash(record, record["nav"], ()).join(values, on="time", how="left")
    return rows.with_columns(pl.col("value", "absolute").fill_null(WIDE_ZERO))


def recomputed_books(record: Record) -> pl.LazyFrame:
    """Daily rows with the recomputed `cash` and `value` of the book's lots.

    Funding and settlements of the same instant come before the row: here they are dated a nanosecond earlier.
    """
    earlier, settled = pl.col("time") - pl.duration(nanoseconds=1), pl.col("kind") == "settlement"
    fills = record["fills"].with_columns(time=pl.when(settled).then(earlier).otherwise("time"))
    record = {**record, "fills": fills, "funding": record["funding"].with_columns(time=earlier)}
    marks = record["marks"].select("time", "market", "mark_micro")
    days = record["books"].select("time", "book").join(marks, on="time")
    values = _held(record, days, ("market", "book")).group_by("time", "book")
    value = values.agg(value=(pl.col("held") * wide("mark_micro")).sum())
    rows = _cash(record, record["books"], ("book",)).join(value, on=("time", "book"), how="left")
    return rows.with_columns(pl.col("value").fill_null(WIDE_ZERO))
