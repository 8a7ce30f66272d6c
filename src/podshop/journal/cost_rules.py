"""The rules of the audit about what trading cost: wishes, rows of costs, and the orders that rested.

Rows of costs speak of everything that was written before them and after the rows of costs before: all tables share one
counter of rows, so `seq` alone says what came before what. They stand before the rows of books, and after all others
at the end. `paper_less_book` is the strong one: it trades every wish of every book on paper, at once and free of cost,
beside what the book really did, and needs to know nothing of how the shortfall was taken apart.
"""

from collections.abc import Callable

import polars as pl

from podshop.journal.rules import WIDE, WIDE_ZERO, Record, wide

KEY = ("market", "book")
PARTS = ("delay_micro", "half_spread_micro", "impact_micro", "fee_micro", "opportunity_micro")
NEVER = (1 << 63) - 1  # a number no row has: the last instant counts everything

Flow = Callable[[Record], pl.LazyFrame]


def paper_less_book(record: Record) -> pl.LazyFrame:
    """All shortfall so far and the value of what is open are what paper has earned beyond the book, funding apart."""
    so_far = _so_far(record)
    paper = pl.col("paper_cash") + pl.col("wished") * pl.col("mark")
    book = pl.col("cash") + pl.col("lots") * pl.col("mark")
    still_open = (pl.col("wished") - pl.col("lots")) * (pl.col("mark") - pl.col("decided"))
    told = pl.col("shortfall") + pl.when("last").then(WIDE_ZERO).otherwise(still_open)
    bad = so_far.filter(told != paper - book).select("cycle", *KEY, found=told, expected=paper - book)
    return _at_its_row(record, bad)


def shortfall_parts(record: Record) -> pl.LazyFrame:
    parts = pl.sum_horizontal(wide(part) for part in PARTS)
    bad = record["costs"].filter(wide("shortfall_micro") != parts)
    return bad.with_columns(found="shortfall_micro", expected=parts)


def counts(flow: Flow, *columns: str) -> Callable[[Record], pl.LazyFrame]:
    """The rule that `columns` of a row of costs are, in sum, the `micro` of all rows of `flow` since the row before."""

    def check(record: Record) -> pl.LazyFrame:
        rows = record["costs"].with_columns(micro=pl.sum_horizontal(wide(column) for column in columns))
        told, owed = (_since_before(record, part) for part in (rows, flow(record)))
        both = told.join(owed, on=("cycle", *KEY), how="full", coalesce=True, suffix="_owed")
        found, expected = pl.col("micro").fill_null(WIDE_ZERO), pl.col("micro_owed").fill_null(WIDE_ZERO)
        return _at_its_row(record, both.filter(found != expected).select("cycle", *KEY, found=found, expected=expected))

    return check


def fees(record: Record) -> pl.LazyFrame:
    return record["fills"].with_columns(micro=wide("fee_micro"))


def slippage(record: Record) -> pl.LazyFrame:
    return record["fills"].with_columns(micro=wide("lots") * (wide("price_micro") - wide("reference_micro")))


def delay(record: Record) -> pl.LazyFrame:
    """From the price at which the wish in force was born to the reference of the fill."""
    wishes = record["wishes"].select("seq", *KEY, decided="mark_micro").sort("seq")
    fills = (
        record["fills"]
        .sort("seq")
        .join_asof(wishes, on="seq", by=list(KEY), strategy="backward", check_sortedness=False)
    )
    decided = wide("decided").fill_null(WIDE_ZERO)
    return fills.with_columns(micro=wide("lots") * (wide("reference_micro") - decided))


def funding_paid(record: Record) -> pl.LazyFrame:
    return record["funding"].with_columns(micro=WIDE_ZERO - wide("cash_micro"))


def wish_mark(record: Record) -> pl.LazyFrame:
    marks = record["marks"].select("cycle", "market", mark="mark_micro")
    bad = record["wishes"].join(marks, on=("cycle", "market"), how="left")
    return bad.filter((pl.col("mark_micro") != pl.col("mark")).fill_null(True)).with_columns(
        found="mark_micro", expected="mark"
    )


def verdict_rests(record: Record) -> pl.LazyFrame:
    filled, rests, allowed = wide("filled_lots"), wide("resting_lots"), wide("allowed_lots")
    one_way = (filled * allowed.sign() >= 0) & (rests * allowed.sign() >= 0)
    within = filled.abs() + rests.abs() <= allowed.abs()
    return (
        record["verdicts"]
        .filter(~(one_way & within))
        .with_columns(
            found=pl.format("filled {}, resting {}", "filled_lots", "resting_lots"),
            expected=pl.format("within allowed {}", "allowed_lots"),
        )
    )


def maker_price(record: Record) -> pl.LazyFrame:
    """Who waits never pays more than the mid it was placed at, nor takes less."""
    worse = pl.col("lots").sign() * (pl.col("price_micro") - pl.col("reference_micro")) > 0
    return _maker(record).filter(worse).with_columns(found="price_micro", expected="reference_micro")


def maker_rested(record: Record) -> pl.LazyFrame:
    """What fills in a cycle rested since the one before, by the verdict on the net order of that cycle."""
    net = record["verdicts"].filter(pl.col("book") == "NET")
    rested = net.select("market", cycle=pl.col("cycle") + 1, rested="resting_lots")
    filled = (
        _maker(record)
        .group_by("cycle", "market")
        .agg(pl.col("row", "seq").min(), lots=wide("lots").sum(), most=wide("lots").abs().sum())
    )
    rests = wide("rested").fill_null(WIDE_ZERO)
    both = filled.join(rested, on=("cycle", "market"), how="left")
    bad = both.filter((pl.col("lots") * rests.sign() != pl.col("most")) | (pl.col("most") > rests.abs()))
    return bad.with_columns(found="lots", expected=pl.format("part of {} that rested", rests))


# What the rules share


def _maker(record: Record) -> pl.LazyFrame:
    return record["fills"].filter(pl.col("kind") == "maker")


def _instants(record: Record) -> pl.LazyFrame:
    """When costs are counted: `cycle`, and `cut`, the first number that is not counted any more; in order."""
    days = record["books"].group_by("cycle").agg(cut=pl.col("seq").min())
    ends = pl.concat(record[table].select(pl.col("cycle").max()) for table in ("nav", "costs"))
    end = ends.select(pl.col("cycle").max(), cut=pl.lit(NEVER, pl.Int64))
    return pl.concat((days, end)).sort("cut").with_columns(last=pl.col("cut") == NEVER)


def _counted_at(record: Record, rows: pl.LazyFrame) -> pl.LazyFrame:
    """Rows in order of `seq`, with the cycle of the instant that counts them in place of their own."""
    return (
        rows.drop("cycle")
        .sort("seq")
        .join_asof(
            _instants(record).select("cycle", "cut"),
            left_on="seq",
            right_on="cut",
            strategy="forward",
            allow_exact_matches=False,
        )
    )


def _since_before(record: Record, rows: pl.LazyFrame) -> pl.LazyFrame:
    """Sum of `micro` for each instant, market and book."""
    return _counted_at(record, rows).group_by("cycle", *KEY).agg(pl.col("micro").sum())


def _at_its_row(record: Record, bad: pl.LazyFrame) -> pl.LazyFrame:
    """Number and seq of the row of costs that is meant; -1 where there should be one."""
    rows = record["costs"].group_by("cycle", *KEY).agg(pl.col("row", "seq").min().cast(pl.Int64))
    place = pl.format(" micro-USD of {} in {}", "book", "market")
    return bad.join(rows, on=("cycle", *KEY), how="left").with_columns(
        pl.col("row", "seq").fill_null(-1), *(pl.col(name).cast(pl.String) + place for name in ("found", "expected"))
    )


def _so_far(record: Record) -> pl.LazyFrame:
    """For each instant, market and book: sums of all before it, the wish in force with its price, and the mark."""
    before = pl.col("wished_lots").shift(1).over(KEY).fill_null(0).cast(WIDE)
    wishes = record["wishes"].select(
        "seq", "cycle", *KEY,
        wished=wide("wished_lots") - before,
        paper_cash=(before - wide("wished_lots")) * wide("mark_micro"),
        decided=wide("mark_micro"),
    )  # fmt: skip
    fills = record["fills"].select("seq", "cycle", *KEY, lots=wide("lots"), cash=wide("cash_micro"))
    costs = record["costs"].select("seq", "cycle", *KEY, shortfall=wide("shortfall_micro"))
    sums = ("wished", "paper_cash", "lots", "cash", "shortfall")
    events = _counted_at(record, pl.concat((wishes, fills, costs), how="diagonal"))
    each = events.group_by("cycle", *KEY).agg(pl.col(*sums).sum(), pl.col("decided").drop_nulls().last())
    grid = _instants(record).join(each.select(KEY).unique(), how="cross")
    marks = record["marks"].select("cycle", "market", mark=wide("mark_micro"))
    dense = grid.join(each, on=("cycle", *KEY), how="left").sort("cut")
    return (
        dense.with_columns(
            *(pl.col(name).fill_null(WIDE_ZERO).cum_sum().over(KEY) for name in sums),
            pl.col("decided").forward_fill().over(KEY).fill_null(WIDE_ZERO),
        )
        .join(marks, on=("cycle", "market"), how="left")
        .with_columns(pl.col("mark").fill_null(WIDE_ZERO))
    )
