"""The brain's one decision: bars and books in, targets out, bit for bit as a backtest of the same history decides.

    feed     bars that closed, and what was settled: facts grow by a row, agents' own bars are completed
    decide   finish the row before, ask the agents that have a new bar, decide as shadows, share capital, look at risk,
             and wish: each by the function that the backtest calls (run/loop.py is the same story in one process)

What it remembers is voices, mixes, forecast records, shadow books, wishes, the desk's ladders and the treasury: `save`
tells all of it, `restore` takes it back. Voices and shadows depend on the market alone, so history makes them anew.
"""

import hashlib
import pickle
from collections.abc import Sequence
from typing import Any

import numpy as np

from podshop.live.brain.facts import GrowingFacts, Row
from podshop.live.brain.growing import Lengths
from podshop.live.brain.seats import Asker, InThreads, LiveSeat, lengths_of
from podshop.live.brain.shadows import HalfShadows
from podshop.live.messages import Office, Opened, Targets
from podshop.maths.compiled import alone
from podshop.nouns import DAY_NS, HOUR_NS, DataError, Funding, Market, Panel, Whole, duration_ns, utc_text
from podshop.run import opinions
from podshop.run.backtest import market_facts
from podshop.run.config.sections import Fund as FundFile
from podshop.run.desk import Desk, Seen
from podshop.run.loop import stretch_ns
from podshop.run.shadows import ShadowBooks
from podshop.run.state import VERDICTS, Facts, Shadows, new_fund, new_rows, new_work
from podshop.run.terms import terms_of
from podshop.run.treasurer import Treasurer
from podshop.run.wishes import wish

KEPT_DAYS = 365  # of the shadows' daily returns
_wish = alone(wish)


class Mind:
    """One fund's agents, from the last bar of a history on.

    market, funding  history, warm-up and all, up to a bar that has closed
    since_ns         the fund's first decision; None = the last bar of the history. What lies between is walked at once
    ask              who asks the signal agents; None = this process, on two threads
    silent           agents that were asked for the last row and had no vote
    """

    silent: tuple[str, ...] = ()

    def __init__(
        self, file: FundFile, market: Market, funding: Funding, since_ns: int | None = None, ask: Asker | None = None
    ) -> None:
        self.file, self.interval_ns = file, duration_ns(file.market.interval)
        self.books = tuple(mandate.name for mandate in file.mandates)
        self._ask = ask or InThreads()
        whole = market_facts(file, market, funding)
        lengths = lengths_of(file.signals) | {max(HOUR_NS, self.interval_ns)}
        self._lengths = Lengths(market, sorted(lengths))
        self.seats = {
            seat.name: LiveSeat(seat, self._lengths.of(duration_ns(seat.agent.bar)), file.confidence)
            for seat in file.signals
        }
        lives = [duration_ns(mandate.volatility_half_life) for mandate in file.mandates]
        self.facts = GrowingFacts(whole, self._lengths, lives)
        self.terms = terms_of(file, self.facts.first_trade)
        self.shadows = HalfShadows(file, whole, self.terms, self.seats)
        self.began_ns = self.facts.last_ns if since_ns is None else since_ns
        self.shadows.begin(self.began_ns)
        books, markets = len(self.books), len(file.market.markets)
        self._fund, self._work = new_fund(markets, books), new_work(markets, books)
        self._rows = new_rows(markets, books, cycles=1, least=1)
        self._desk = Desk(file, self.facts)
        self._desk.begin(self._fund)
        self._treasurer = Treasurer(file, self.terms.reference_micro)
        self._equity = np.full(books, self.terms.reference_micro)
        self._equity_peak = self._equity.copy()
        self._equity_midnight: Whole | None = None
        self._daily_return = np.empty((0, books))
        self._decided_ns: int | None = None
        self._fed = hashlib.sha256()
        began_before = self.began_ns < self.last_ns
        self._newborn = not began_before
        self._shared_day = (self.last_ns - self.interval_ns) // DAY_NS if began_before else -1
        self._walk_history(whole)

    @property
    def last_ns(self) -> int:
        """Close of the last bar that it was fed."""
        return self.facts.last_ns

    @property
    def decided_ns(self) -> int | None:
        """The cycle that was decided last."""
        return self._decided_ns

    def feed(self, bars: Market, funding: Funding) -> str:
        """Bars that closed since the last, in order, every column that the agents read; a bar that is missing is NaN.

        funding  all that was settled after the last bar fed and up to the last of these
        ->       SHA-256 (hex) of all that was fed since the last decision
        Raises DataError where bars do not follow one another.
        """
        for row in range(len(bars)):
            bar = bars[row : row + 1]
            at_ns = int(bar.time[0])
            if at_ns != self.last_ns + self.interval_ns:
                expected = utc_text(self.last_ns + self.interval_ns)
                raise DataError(f"a bar of {utc_text(at_ns)}, expected the one of {expected}")
            paid = of_time(funding, self.last_ns, at_ns)
            self._fed.update(digest(bar, paid))
            self._lengths.add(bar)
            self.facts.add(bar, paid)
            if at_ns % DAY_NS == 0:
                self._forget()
        for seat in self.seats.values():
            seat.grow()
        return self._fed.hexdigest()

    def decide(self, opened: Opened) -> Targets:
        """Answer a cycle whose bar was fed. Cycles that were missed are walked first, as a backtest would.

        Raises DataError where the cycle is not that of the last bar, or was decided already.
        """
        if opened.at_ns != self.last_ns or (self._decided_ns is not None and opened.at_ns <= self._decided_ns):
            raise DataError(
                f"asked for {utc_text(opened.at_ns)}, the last bar is of {utc_text(self.last_ns)}, decided is "
                f"{'nothing' if self._decided_ns is None else utc_text(self._decided_ns)}"
            )
        if self._newborn:  # bars that came before the first question are history
            del self.facts.waiting[:-1]
            self.began_ns, self._newborn = opened.at_ns, False
            self.shadows.begin(self.began_ns)
            self._fed = hashlib.sha256()
        self._finish_past()
        row = self.facts.waiting[0]
        fund, first = self._fund, self._decided_ns is None
        self._open(opened, row.facts)
        if first and self.began_ns < opened.at_ns:  # it has forgotten what the books wish and how high the fund was
            fund.refresh[: len(self.books)] = True
            self._desk.peak = max(self._desk.peak, opened.peak_micro)
        limits, treasury, targets = self._hear(row, first)
        weights: Panel = np.empty(0)
        if treasury:
            weights = self._share(opened)
        if limits:
            seen = Seen(self._equity, self._equity_peak, self._daily_return)
            self._desk.look(row.facts, 0, fund, seen)
        self._rows.used[:] = 0
        _wish(fund, self._work, self.terms, row.facts, targets, self._rows, 0)
        self._decided_ns = opened.at_ns
        return self._targets(opened, row.facts, weights)

    def save(self) -> bytes:
        """All that it remembers, but for the bars."""
        if not self._newborn:
            self._finish_past()
        state = {
            "fund": self.file.sha256,
            "last_ns": self.last_ns,
            "decided_ns": self._decided_ns,
            "began_ns": self.began_ns,
            "newborn": self._newborn,
            "seats": {name: seat.state() for name, seat in self.seats.items()},
            "listeners": [listener.memory for listener in self.shadows.listeners],
            "shadows": self.shadows.memory(),
            "state": self._fund,
            "desk": self._desk.memory(),
            "treasurer": self._treasurer,
            "shared_day": self._shared_day,
            "equity": (self._equity, self._equity_peak, self._equity_midnight, self._daily_return),
        }
        return pickle.dumps(state)

    def restore(self, saved: bytes) -> None:
        """Remember what `save` told; the history must end with the same bar.

        The bytes must be the brain's own: they are a pickle. Raises DataError where they are of another fund or bar.
        """
        state: dict[str, Any] = pickle.loads(saved)  # noqa: S301  own file of a process that holds no key
        if state["fund"] != self.file.sha256 or state["last_ns"] != self.last_ns:
            raise DataError(f"the saved state is of another fund, or of {utc_text(state['last_ns'])}")
        self._decided_ns, self.began_ns, self._newborn = state["decided_ns"], state["began_ns"], state["newborn"]
        self.shadows.begin(self.began_ns)
        for name, seat in self.seats.items():
            seat.restore(state["seats"][name])
        for listener, memory in zip(self.shadows.listeners, state["listeners"], strict=True):
            _fill(listener.memory, memory)
        self.shadows.remember(state["shadows"])
        _fill([self._fund], [state["state"]])
        self._desk.remember(state["desk"])
        self._treasurer, self._shared_day = state["treasurer"], state["shared_day"]
        self._equity, self._equity_peak, self._equity_midnight, self._daily_return = state["equity"]

    def _walk_history(self, whole: Any) -> None:
        """Walk voices and shadows from the first decision to the last bar but one, as a backtest does."""
        row, last = whole.row(self.began_ns), len(whole.market) - 1
        length_ns = stretch_ns(self.interval_ns)
        while row < last:
            until_ns = (int(whole.market.time[row]) // length_ns + 1) * length_ns
            end = min(whole.row(until_ns), last)
            facts = whole.stretch(row, end)
            midnight = facts.time % DAY_NS == 0
            strike = np.array([self._strikes(int(now), int(now) == self.began_ns) for now in facts.time])
            _, equity = ShadowBooks.decide(self.shadows, facts, strike)
            self._equity_peak = np.maximum(self._equity_peak, equity.max(axis=0))
            for k in np.flatnonzero(midnight):
                self._equity = equity[k]
                self._close_day()
            row = end

    def _finish_past(self) -> None:
        """The second half of every cycle but the last; of those that were missed, the first half too."""
        waiting = self.facts.waiting
        while len(waiting) > 1:
            row = waiting.pop(0)
            if self.shadows.open is None:
                self._hear(row, False)
            self.shadows.finish_row(row.facts, row.sigma)

    def _hear(self, row: Row, first: bool) -> tuple[bool, bool, Shadows]:
        """Ask who has a new bar, let the shadows decide; whether risk and treasury are due, and the targets."""
        now = int(row.facts.time[0])
        asked = [one for seat in self.seats.values() if (one := seat.due(now)) is not None]
        self.silent = ()
        if asked:
            answers = self._ask(asked)
            for one in asked:
                one.seat.give(one, answers.get(one.seat.name))
            self.silent = tuple(sorted(one.seat.name for one in asked if answers.get(one.seat.name) is None))
        treasury = now // DAY_NS != self._shared_day
        limits = first or any(_fires(now, self.interval_ns, ns) for ns in self._desk.cadences_ns)
        strike = self._strikes(now, first)
        targets, equity = self.shadows.decide_row(row, strike)
        if strike:
            self._equity_peak = np.maximum(self._equity_peak, equity)
        if limits or treasury:
            self._equity = equity
        if now % DAY_NS == 0:
            self._close_day()
        return limits, treasury, targets

    def _strikes(self, now: int, first: bool) -> bool:
        """Whether the shadows' equity is looked at."""
        looks = (HOUR_NS, *self._desk.cadences_ns)
        return first or now % DAY_NS == 0 or any(_fires(now, self.interval_ns, ns) for ns in looks)

    def _close_day(self) -> None:
        """At midnight: what each shadow made of its day."""
        if self._equity_midnight is not None:
            change = (self._equity - self._equity_midnight) / self.terms.reference_micro
            self._daily_return = np.concatenate([self._daily_return[-KEPT_DAYS:], change[None]])
        self._equity_midnight = self._equity

    def _open(self, opened: Opened, facts: Facts) -> None:
        """Take over the books as the gateway has them; a market that has died is wished no more."""
        fund, books = self._fund, len(self.books)
        died = facts.dead[0] & fund.lots.any(axis=1)
        fund.wished[died] = 0
        fund.raw[died] = 0
        fund.lots[:] = np.array(opened.lots, np.int64)
        fund.cash[:] = opened.cash_micro
        fund.capital[: len(opened.capital_micro)] = opened.capital_micro
        fund.venue_lots[:] = fund.lots.sum(axis=1)
        fund.nav[0], fund.peak[0] = opened.nav_micro, opened.peak_micro
        throttle = np.array(opened.throttle[:books])
        moved = (throttle != fund.throttle[:books]) | (opened.fund_throttle != fund.fund_throttle[0])
        fund.refresh[:books] |= moved
        fund.throttle[:books] = throttle
        fund.fund_throttle[0] = opened.fund_throttle
        lowered, fund.state[0] = opened.state < fund.state[0], opened.state
        if lowered:  # the gateway holds at least what it was told; only a person lowers that
            self._desk.resumed(opened.at_ns, fund)

    def _share(self, opened: Opened) -> Panel:
        """Share capital; the gateway moves it by the same weights."""
        fund, house = self._fund, len(self.books)
        self._shared_day = opened.at_ns // DAY_NS
        weights = self._treasurer.share(opened.at_ns, self._daily_return, opened.nav_micro)
        fund.refresh[:house] |= self._treasurer.suspended
        fund.capital[:house] = np.floor(weights * opened.nav_micro).astype(np.int64)
        fund.capital[house] = opened.nav_micro - fund.capital[:house].sum()
        return weights

    def _targets(self, opened: Opened, facts: Facts, weights: Panel) -> Targets:
        """Everything that the gateway is told."""
        fund, rows = self._fund, self._rows
        now = int(facts.time[0])
        said = hashlib.sha256()
        for name, seat in sorted(self.seats.items()):
            said.update(name.encode() + b"\0" + seat.voiced.tobytes())
        inputs, self._fed = self._fed.hexdigest(), hashlib.sha256()
        used = int(rows.used[VERDICTS])
        notes = [
            (int(w[3]), int(w[2]), int(w[5]), int(w[6]), int(w[7]), float(r[0]), float(r[1]))
            for w, r in zip(rows.verdicts[:used], rows.verdicts_real[:used], strict=True)
        ]
        return Targets(
            cycle=opened.cycle,
            wished=_nested(fund.wished[:, : len(self.books)]),
            raw=_nested(fund.raw[:, : len(self.books)]),
            weights=tuple(weights.tolist()),
            office=office_of(fund, len(self.books)),
            covariance=tuple(facts.covariance[0].ravel().tolist()),
            sigma_day=tuple(facts.sigma[0].tolist()),
            depth_lots=tuple(facts.depth[0].tolist()),
            most_lots=tuple(facts.liquidity[0].tolist()),
            history_ns=tuple(np.maximum(now - self.facts.first_trade, -1).tolist()),
            frozen_bars=tuple(facts.frozen[0].tolist()),
            convictions_sha256=said.hexdigest(),
            inputs_sha256=inputs,
            shadow_equity_micro=tuple(self._equity.tolist()),
            notes=tuple(notes),
        )

    def _forget(self) -> None:
        """Once a day: drop the bars that nobody reads any more."""
        needed: dict[int, int] = {}
        for seat in self.seats.values():
            seat.grow()
            needed[seat.bar_ns] = min(needed.get(seat.bar_ns, seat.needs_from_ns), seat.needs_from_ns)
        longest = max(needed, default=HOUR_NS)
        base = self.last_ns - 2 * max(longest, DAY_NS)
        needed[self.interval_ns] = min(needed.get(self.interval_ns, base), base)
        risk_ns = max(HOUR_NS, self.interval_ns)
        needed.setdefault(risk_ns, self.last_ns - 2 * DAY_NS)
        dropped = self._lengths.drop_before(needed)
        for seat in self.seats.values():
            seat.grow()
            seat.dropped(dropped[seat.bar_ns])
        self.facts.drop_old()


def office_of(fund: Any, books: int) -> Office:
    """The limits in force as a message."""
    limits = fund.limits
    clusters = int(limits.clusters[0])
    return Office(
        version=int(limits.version[0]),
        max_weight=tuple(limits.max_weight.tolist()),
        max_gross=float(limits.max_gross[0]),
        max_net=float(limits.caps[0]),
        max_order=float(limits.max_order[0]),
        max_var=float(limits.max_var[0]),
        tail=float(limits.tail[0]),
        clusters=tuple(tuple(np.flatnonzero(row).tolist()) for row in limits.members[1:clusters]),
        caps=tuple(limits.caps[1:clusters].tolist()),
        throttle=tuple(fund.throttle[:books].tolist()),
        fund_throttle=float(fund.fund_throttle[0]),
        state=int(fund.state[0]),
    )


def of_time(funding: Funding, after_ns: int, until_ns: int) -> Funding:
    """What was settled in (after, until]."""
    rows = slice(*np.searchsorted(funding.at_ns, [after_ns, until_ns], side="right").tolist())
    return Funding(
        np.ascontiguousarray(funding.at_ns[rows]),
        np.ascontiguousarray(funding.market[rows]),
        np.ascontiguousarray(funding.rate[rows]),
        np.ascontiguousarray(funding.source[rows]),
        funding.sources,
        funding.assumed_share,
    )


def digest(bar: Market, funding: Funding) -> bytes:
    """SHA-256 of a bar and its funding: times, names and little-endian numbers."""
    made = hashlib.sha256(bar.time.tobytes())
    for name in sorted(bar.columns):
        made.update(name.encode() + b"\0" + np.ascontiguousarray(bar.columns[name]).tobytes())
    for part in (funding.at_ns, funding.market, funding.rate, funding.source):
        made.update(np.ascontiguousarray(part).tobytes())
    return made.digest()


def _fires(now: int, interval_ns: int, cadence_ns: int) -> bool:
    return bool(opinions.fires(np.array([now]), interval_ns, cadence_ns)[0])


def _nested(lots: Whole) -> tuple[tuple[int, ...], ...]:
    return tuple(map(tuple, lots.tolist()))


def _fill(now: Sequence[Any], saved: Sequence[Any]) -> None:
    """Write saved arrays into those that compiled code works on, however they are nested."""
    for mine, theirs in zip(now, saved, strict=True):
        if isinstance(mine, np.ndarray):
            mine[...] = theirs
        else:
            _fill(mine, theirs)
