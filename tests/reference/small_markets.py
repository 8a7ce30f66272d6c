"""Small markets and funds: constant ones for sums done by hand, random ones for hypothesis."""

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

from hypothesis import strategies as st

from tests.reference.facts import ASSUMED, DAY_NS, HOUR_NS, Agent, Facts, Graduation, Ladder, Seat, Terms
from tests.reference.limits import Limits, of_file
from tests.reference.opinions import Moody

START_NS = 19_000 * DAY_NS  # a midnight of 2022
INTERVALS_NS = HOUR_NS // 4, HOUR_NS, 4 * HOUR_NS, DAY_NS


def still(marks: Sequence[Sequence[int]], convictions: dict[str, Sequence[Sequence[float]]], **changes: Any) -> Facts:
    """Hourly markets with old histories, 2 % daily volatility, no correlation, and the marks given, K + 1 rows."""
    rows, cycles, markets = [list(row) for row in marks], len(marks) - 1, len(marks[0])

    def every(value: Any) -> list[list[Any]]:
        return [[value] * markets for _ in range(cycles)]

    usual: dict[str, Any] = {
        "interval_ns": HOUR_NS,
        "names": [f"M{m}" for m in range(markets)],
        "time": [START_NS + k * HOUR_NS for k in range(cycles + 1)],
        "mark": rows,
        "age": every(0),
        "frozen": every(0),
        "bar": every(True),
        "traded": every(True),
        "quiet_ns": every(0),
        "reference": rows[:-1],
        "sigma_day": every(0.02),
        "covariance": lambda _: [[0.0004 if i == j else 0.0 for j in range(markets)] for i in range(markets)],
        "history_ns": every(400 * DAY_NS),
        "liquidity": every(1_000_000),
        "depth": every(1e9),
        "low": [list(row) for row in marks],
        "high": [list(row) for row in marks],
        "queued": every(1_000_000),
        "carry": every(0.0),
        "funding": [],
        "convictions": {name: (HOUR_NS, list(said)) for name, said in convictions.items()},
    }
    return Facts(**(usual | changes))


def roomy(*mandates: Seat, **changes: Any) -> Terms:
    """Terms whose limits do not bind and whose costs are easy: half-spread 2^-10 (exact in binary), no impact."""
    usual: dict[str, Any] = {
        "mandates": mandates,
        "min_notional_micro": [10_000_000] * 9,
        "max_weight": 1.0,
        "max_net": 99.0,
        "max_order": 99.0,
        "max_var": 1.0,
        "half_spread": 2.0**-10,
        "impact": 0.0,
        "allocator": "equal",
        "ladder": Ladder(halve_from=50.0, out_from=99.0, halt_from=999.0, day_loss=99.0),
    }
    return Terms(**(usual | changes))


SUBJECTS = (
    *("weight", "max_gross", "max_net", "max_order", "max_var", "tail", "clusters", "clusters"),
    *("throttle", "fund_throttle", "state", "failure"),
)


def calm(terms: Terms) -> Limits:
    """The fund file's own limits for a few markets, in a fund that no risk agent troubles."""
    return of_file(terms, 9)


@st.composite
def funds(draw: st.DrawFn) -> tuple[Facts, Terms]:
    """A random small market and fund: gaps, bars without trading, late listings, dead ends, jumps."""
    return small_fund(
        draw(st.integers(0, 2**32 - 1)),
        markets=draw(st.integers(1, 4)),
        books=draw(st.integers(1, 4)),
        interval_ns=draw(st.sampled_from(INTERVALS_NS)),
        cycles=draw(st.integers(1, 150)),
    )


def small_fund(seed: int, *, markets: int, books: int, interval_ns: int, cycles: int) -> tuple[Facts, Terms]:
    """The random fund of a seed: the same in every process, which what hypothesis finds is not."""
    plain = _plain_fund(seed, markets, books, interval_ns, cycles)
    facts, terms = _governed(random.Random(f"office of {seed}"), *_styled(random.Random(f"styles of {seed}"), *plain))
    return facts, _treasured(random.Random(f"treasury of {seed}"), terms)


def _plain_fund(seed: int, markets: int, books: int, interval_ns: int, cycles: int) -> tuple[Facts, Terms]:
    """All books take, and nobody asks what it costs."""
    chance = random.Random(seed)
    facts = _market(chance, cycles, markets, interval_ns)
    mandates = tuple(
        Seat(
            name=f"book{b}",
            listens={f"signal{s}": chance.choice((-1.0, 0.5, 1.0, 2.0)) for s in chance.sample(range(3), k=2)},
            markets=tuple(sorted(chance.sample(list(facts.names), k=chance.randint(1, markets)))),
            cadence_ns=chance.choice((1, 2, 6)) * interval_ns,
            volatility_target=chance.choice((0.1, 0.3, 2.0)),
            buffer=chance.choice((0.0, 0.1, 0.3)),
            stop=chance.choice((0.3, 1.0, 5.0)),
            longest_holding_ns=chance.choice((5, 20, 1_000)) * interval_ns,
        )
        for b in range(books)
    )
    terms = Terms(
        mandates=mandates,
        min_notional_micro=[chance.choice((1_000_000, 10_000_000, 300_000_000)) for _ in range(markets)],
        capital_usd=chance.choice((5_000.0, 100_000.0)),
        max_weight=chance.choice((0.05, 0.3, 1.0)),
        max_gross=chance.choice((0.3, 1.0, 2.0)),
        max_var=chance.choice((0.005, 0.02, 0.5)),
        min_order_usd=chance.choice((10.0, 100.0)),
        book_gross=chance.choice((0.5, 1.0, 3.0)),
        half_spread=chance.choice((0.0, 1e-4)),
        impact=chance.choice((0.1, 1.0)),
        ladder=Ladder(
            halve_from=0.1, out_from=chance.choice((0.2, 1.25)), back_below=0.05, cadence_ns=max(HOUR_NS, interval_ns)
        ),
        allocator=chance.choice(("article", "equal")),
        window_days=chance.choice((2, 5)),
        operator=chance.choice(("never", 10 * interval_ns)),
    )
    return facts, terms


def _styled(chance: random.Random, facts: Facts, terms: Terms) -> tuple[Facts, Terms]:
    """Some books wait or slice, some look at their costs, and some have a sigma of their own."""
    interval_ns = facts.interval_ns
    slopes = {name: chance.choice((-0.05, 0.0, 0.1, 0.4)) for name in facts.convictions}
    mandates = tuple(
        replace(
            seat,
            typical_conviction=chance.choice((1.0, 0.4)),
            style=chance.choice(("taker", "maker", "twap")),
            urgency_ns=chance.choice((HOUR_NS // 4, interval_ns, 3 * interval_ns, 10 * interval_ns)),
            max_diversification=chance.choice((1.0, 1.2, 2.5)),
            outlook_ns=chance.choice((1, 3, 24)) * interval_ns,
            cost_factor=chance.choice((0.0, 0.0, 0.0, 0.0, 1.0, 3.0)),
            cost_budget=chance.choice((0.003, 0.05, 1e9, 1e9, 1e9, 1e9)),
            prior=_mean_by_weight(slopes, seat.listens),
        )
        for seat in terms.mandates
    )
    terms = replace(
        terms,
        mandates=mandates,
        maker_fee_e8=chance.choice((0, 15_000)),
        assumed_funding_bps_8h=chance.choice((0.0, 1.0)),
        prior_observations=chance.choice((5, 200)),
        prior_slope=slopes,
        ladder=replace(
            terms.ladder, fund_volatility=chance.choice((0.1, 0.1, 0.02)), back_below=chance.choice((0.05, 0.19))
        ),
    )
    return _ranged(chance, facts, [seat.name for seat in mandates if chance.random() < 0.6]), terms


def _governed(chance: random.Random, facts: Facts, terms: Terms) -> tuple[Facts, Terms]:
    """Signals have families, prices freeze, and risk agents beside a ladder of whatever patience say what they like."""
    interval_ns, markets, books = facts.interval_ns, len(facts.names), len(terms.mandates)
    family = {name: chance.choice((name, "all", "all")) for name in facts.convictions}
    slope = {name: terms.prior_slope[name] for name in facts.convictions}
    slopes = {name: slope[min(each for each in family if family[each] == family[name])] for name in family}
    listens = [
        {name: chance.choice((-1.0, 0.5, 0.7, 1.0)) for name in chance.sample(sorted(family), k=chance.randint(1, 3))}
        for _ in terms.mandates
    ]
    mandates = tuple(
        replace(seat, listens=heard, prior=_mean_by_weight(slopes, heard))
        for seat, heard in zip(terms.mandates, listens, strict=True)
    )
    agents = tuple(
        Agent(
            name=chance.choice(("a", "z")) + f"gent{n}",  # asked before the drawdown limiter, or after it
            cadence_ns=chance.choice((1, 2, 3, 5)) * interval_ns,
            says=Moody(
                f"{chance.random()}", markets, books, tuple(chance.sample(SUBJECTS, k=chance.choice((1, 1, 2, 4))))
            ),
        )
        for n in range(chance.choice((0, 1, 2)))
    )
    terms = replace(
        terms,
        mandates=mandates,
        family=family,
        prior_slope=slopes,
        agents=agents,
        max_net=chance.choice((1.0, 1.0, 0.2)),
        max_order=chance.choice((1.0, 1.0, 0.1)),
        ladder=replace(
            terms.ladder,
            cadence_ns=max(HOUR_NS, chance.choice((1, 1, 2)) * interval_ns),
            cool_off_days=chance.choice((1, 1, 5)),
            half_days=chance.choice((1, 1, 3)),
            halt_from=chance.choice((1.3, 9.0)),
            day_loss=chance.choice((0.2, 0.4, 9.0)),
            most_books=chance.choice((1, 3, 99)),
            most_gross=chance.choice((0.05, 0.25, 9.0)),
        ),
    )
    return _frozen(chance, facts), terms


def _treasured(chance: random.Random, terms: Terms) -> Terms:
    """In some funds gains beyond the high-water mark stay cash, in some capital must be earned; proofs are easy."""
    gate = Graduation(
        signer=chance.choice(("rule", "rule", "rule", "person")),
        start=chance.choice(("research", "paper", "seed", "full", "full")),
        trials=chance.choice((0.0, 1.0, 1.0)),
        floor_days=chance.choice((1, 31)),
        review_days=chance.choice((1, 7)),
        psr=chance.choice((0.1, 0.5)),
        seed_dsr=chance.choice((0.1, 0.5)),
        full_dsr=chance.choice((0.2, 0.6)),
        seed_share=chance.choice((0.25, 0.5)),
        out_from=chance.choice((0.02, 0.2, 1.25)),
        cool_off_days=chance.choice((0, 1, 5)),
        alive=chance.choice((1.0, 5.0)),
        alarm=chance.choice((0.05, 0.5)),
    )
    return replace(terms, compound=chance.random() < 0.5, graduation=gate if chance.random() < 0.4 else None)


def _frozen(chance: random.Random, facts: Facts) -> Facts:
    """Some marks stand still for a while; what the books trade at does not."""
    mark = [list(row) for row in facts.mark]
    for m in range(len(facts.names)):
        if chance.random() < 0.3:
            since = chance.randrange(len(mark))
            for row in mark[since : since + chance.choice((10, 30, 60))]:
                row[m] = mark[since][m] or row[m]
    bars = [[0 for _ in facts.names]]
    for before, now in pairwise(mark):
        bars.append([0 if a != b or b == 0 else n + 1 for a, b, n in zip(before, now, bars[-1], strict=True)])
    return replace(facts, mark=mark, frozen=bars[: facts.cycles])


def _mean_by_weight(slopes: Mapping[str, float], listens: Mapping[str, float]) -> float:
    return sum(abs(w) * slopes[name] for name, w in listens.items()) / sum(abs(w) for w in listens.values())


def _ranged(chance: random.Random, facts: Facts, own_sigma: Sequence[str]) -> Facts:
    """What resting orders and costs need: how far each bar went, touches among them; queues, carry, unknown depths."""
    markets, cycles = range(len(facts.names)), range(facts.cycles)
    low, high = [[0 for _ in markets]], [[0 for _ in markets]]
    for opens, closes in zip(facts.reference, facts.mark[1:], strict=True):  # of bars 1 to K; 0 = did not trade
        low.append([0 for _ in markets])
        high.append([0 for _ in markets])
        for m in markets:
            if opens[m] > 0:
                beyond = chance.choice((0.0, 0.0, 0.0005, 0.01))
                low[-1][m] = max(1, math.ceil(min(opens[m], closes[m]) * (1.0 - beyond)))
                high[-1][m] = math.floor(max(opens[m], closes[m]) * (1.0 + beyond))
    deep = [[chance.random() > 0.03 for _ in markets] for _ in cycles]
    return replace(
        facts,
        low=low,
        high=high,
        depth=[[facts.depth[k][m] if deep[k][m] else math.nan for m in markets] for k in cycles],
        liquidity=[[facts.liquidity[k][m] * deep[k][m] for m in markets] for k in cycles],
        queued=[[chance.choice((0, 3, 200, 10**6, 10**6)) * deep[k][m] for m in markets] for k in cycles],
        carry=[[chance.choice((math.nan, 0.0, chance.gauss(0.0, 1e-4))) for _ in markets] for _ in cycles],
        sigma_own={
            name: [
                [math.nan if chance.random() < 0.03 else sigma * chance.uniform(0.5, 2.0) for sigma in row]
                for row in facts.sigma_day
            ]
            for name in own_sigma
        },
    )


def _market(chance: random.Random, cycles: int, markets: int, interval_ns: int) -> Facts:
    """Random walks with everything the page speaks of; what the agents say is noise that lasts a while."""
    start = START_NS + chance.choice((0, 5)) * interval_ns
    price = [float(10 ** chance.randint(5, 9)) for _ in range(markets)]
    listed = [chance.choice((-1, -1, -1, cycles // 3)) for _ in range(markets)]
    ends = [chance.choice((10**9, 10**9, cycles // 2)) for _ in range(markets)]
    age_at_start = [chance.choice((20, 29, 31, 89, 400, 400, 400, 400)) * DAY_NS for _ in range(markets)]
    loading = [chance.uniform(0.3, 1.0) for _ in range(markets)]
    sigma = [chance.uniform(0.005, 0.08) for _ in range(markets)]

    mark, reference, age, bar, traded, quiet, history = [], [], [], [], [], [], []
    last, last_age, last_bar, first = [0] * markets, [0] * markets, [0] * markets, [10**9] * markets
    happened: list[tuple[bool, bool, float, float]] = []
    for k in range(cycles + 2):  # bar k; the last row of references is made by bar K
        happened = []
        for m in range(markets):
            price[m] *= math.exp(chance.gauss(0.0, sigma[m] / 3.0) + chance.choice((0.0,) * 60 + (-0.3, 0.3)))
            there = listed[m] < k < ends[m] and chance.random() > 0.05
            happened.append((there, there and chance.random() > 0.05, price[m] * chance.uniform(0.99, 1.01), price[m]))
        if 1 <= k <= cycles:
            reference.append([max(1, round(opened)) if volume else 0 for _, volume, opened, _ in happened])
        if k > cycles:
            break
        for m, (there, volume, _, close) in enumerate(happened):
            last_bar[m] = k if there else last_bar[m]
            first[m] = min(first[m], k) if volume else first[m]
            last[m], last_age[m] = (max(1, round(close)), 0) if volume else (last[m], last_age[m] + 1)
        mark.append(list(last))
        age.append(list(last_age))
        bar.append([there for there, *_ in happened])
        traded.append([volume for _, volume, *_ in happened])
        quiet.append([(k - last_bar[m]) * interval_ns for m in range(markets)])
        history.append([age_at_start[m] + (k - first[m]) * interval_ns if first[m] <= k else 0 for m in range(markets)])

    known = [[last_mark > 0 and chance.random() > 0.02 for last_mark in row] for row in mark[:cycles]]
    sigma_day = [[sigma[m] if known[k][m] else math.nan for m in range(markets)] for k in range(cycles)]
    liquidity = [[chance.choice((5, 300, 10**6)) * known[k][m] for m in range(markets)] for k in range(cycles)]
    covariance = [
        [sigma[i] * sigma[j] * (1.0 if i == j else loading[i] * loading[j]) for j in range(markets)]
        for i in range(markets)
    ]
    funding = sorted(
        (
            start + (k - 1) * interval_ns + chance.choice((0, 0, interval_ns // 7)),
            m,
            chance.gauss(0.0, 1e-3),
            chance.choice((1, 2)),
        )
        for k in range(cycles + 1)
        for m in range(markets)
        if chance.random() < 0.2
    )
    return Facts(
        interval_ns=interval_ns,
        names=[f"M{m}" for m in range(markets)],
        time=[start + k * interval_ns for k in range(cycles + 1)],
        mark=mark,
        age=age[:cycles],
        bar=bar[:cycles],
        traded=traded[:cycles],
        quiet_ns=quiet[:cycles],
        reference=reference,
        sigma_day=sigma_day,
        covariance=lambda _: covariance,
        history_ns=history[:cycles],
        liquidity=liquidity,
        depth=[[1e4] * markets for _ in range(cycles)],
        funding=[(at, m, abs(rate) if s == 2 else rate, ASSUMED if s == 2 else s) for at, m, rate, s in funding],
        convictions={f"signal{s}": _noise(chance, cycles, markets, interval_ns) for s in range(3)},
    )


def _noise(chance: random.Random, cycles: int, markets: int, interval_ns: int) -> tuple[int, list[list[float]]]:
    every = chance.choice((1, 4))
    rows: list[list[float]] = []
    for k in range(cycles):
        fresh = [chance.choice((math.nan, 0.0, chance.uniform(-1.0, 1.0), 0.9, -0.9)) for _ in range(markets)]
        rows.append(fresh if k % every == 0 or not rows else rows[-1])
    return every * interval_ns, rows
