"""The books at the edge of a cycle: the first deposit, marks, NAV, funding, transfers, and what the brain is told."""

from collections.abc import Mapping, Sequence

import numpy as np

from podshop.journal.facts import Fact
from podshop.ledger.facts import HOUSE, Capital, Deposit, Fill, Marks, Nav, Share, Start, Transfer, Verdict
from podshop.ledger.postings import VENUE_CASH
from podshop.live.gateway import reconcile
from podshop.live.gateway.asking import Asking
from podshop.live.gateway.desk import Desk
from podshop.live.gateway.terms import Terms
from podshop.live.gateway.waves import Waves
from podshop.live.messages import Opened, Targets
from podshop.market.prices import NEVER
from podshop.nouns import DataError
from podshop.nouns.venue import Paid, Quote
from podshop.nouns.verdict import CODE_NAMES, HALTED_STATE
from podshop.orders.facts import Began
from podshop.risk.bound import value_at_risk

TRIES = 10  # to read the account at the very start


class Accounts:
    """One fund's books, as a cycle opens them."""

    def __init__(self, terms: Terms, desk: Desk, asking: Asking, waves: Waves) -> None:
        self.terms, self.desk, self.asking, self.waves = terms, desk, asking, waves

    async def found(self, now_ns: int) -> None:
        """The first facts: whose journal it is, and what the account holds; capital in equal shares."""
        terms, desk = self.terms, self.desk
        for _ in range(TRIES):
            reading = await self.asking.asked("reading", self.asking.venue.reading())
            if reading is not None and reading.equity_micro > 0:
                break
            await self.asking.clock.sleep_until(self.asking.clock.now_ns() + terms.clean_ns)
        else:
            raise DataError("the account cannot be read, or is empty: a fund cannot be started on it")
        marks = await self.asking.asked("marks", self.asking.venue.marks(now_ns, terms.interval_ns)) or {}
        held = {market: lots for market, lots in reading.lots.items() if lots}
        if any(market not in terms.markets or market not in marks for market in held):
            raise DataError(f"the account holds {', '.join(sorted(held))}, which this fund does not trade")
        worth = sum(lots * marks[market].price_micro for market, lots in held.items())
        total = reading.equity_micro if reading.cash_micro is None else reading.cash_micro + worth
        share = min(total, terms.capital_micro) // len(terms.books)
        source = f"the gateway of {self.asking.venue.card.venue}"
        moves = ((HOUSE, -share * len(terms.books)), *((book, share) for book in terms.books))
        desk.note(
            now_ns,
            Start(terms.fund, terms.interval_ns, terms.markets, terms.lot_sizes, terms.names, source),
            Deposit("opening", HOUSE, total),
            Transfer(moves, "allocation"),
        )
        for market, lots in held.items():
            price = marks[market].price_micro
            fill = Fill(f"opening-{market}", "", market, lots, price, 0)
            desk.note(now_ns, fill, Share("", HOUSE, market, lots, price, price, 0, "venue"))
            desk.memory.lines[market] = desk.memory.line(market)._replace(booked=lots)
            desk.note(now_ns, Began(market, now_ns, lots))
        desk.commit()

    def funding(self, paid: Paid) -> Sequence[Fact]:
        """A settlement and the books' shares of it, at the latest marks."""
        mark = self.desk.keeper.books.marks.get(paid.market, 0)
        return reconcile.funding_facts(paid, self.desk.keeper.books, mark, self.terms)

    def mark(self, cycle: int, at_ns: int, quotes: Mapping[str, Quote]) -> None:
        """The marks of t_k and their ages."""
        known = [(m, quotes[m]) for m in self.terms.markets if m in quotes]
        marks = tuple(quote.price_micro for _, quote in known)
        ages = tuple(max(0, (at_ns - quote.at_ns) // self.terms.interval_ns) for _, quote in known)
        self.desk.note(at_ns, Marks(cycle, tuple(m for m, _ in known), marks, ages))
        self.desk.commit()

    def strike(self, cycle: int, at_ns: int) -> None:
        """The NAV row of t_k, with the value at risk by the covariance that was heard last."""
        books, waves = self.desk.keeper.books, self.waves
        nav, cash = books.nav_micro(), books.balances.get(VENUE_CASH, 0)
        var = None
        if waves.covariances and nav > 0:
            waves.load(books)
            held = (waves.fund.venue_lots * waves.mark).astype(np.float64)
            tail = float(waves.fund.limits.tail[0])
            var = value_at_risk(waves.covariances[0], held, tail, np.zeros(len(held))) / nav
        self.desk.note(at_ns, Nav(cycle, nav, cash, var))
        self.desk.commit()

    def close_open(self, at_ns: int) -> None:
        """Close the cycles of markets that a dead process had begun: nothing is known of their verdict but this."""
        for netted in list(self.desk.memory.netted.values()):
            net = sum(lots for _, lots in netted.wants)
            line = self.desk.memory.line(netted.market)
            filled = sum(f.filled for f in line.flights if f.cycle == netted.cycle)
            verdict = Verdict(netted.market, "NET", "shrink", "RESTART", net, filled, filled, 0, None, None)
            self.desk.close(at_ns, netted, verdict)
            self.desk.commit()

    def notes(self, targets: Targets, now_ns: int) -> None:
        """What the books' own limits held back, as the brain says."""
        for book, market, code, wanted_lots, allowed, measured, bound in targets.notes:
            verdict = "approve" if allowed == wanted_lots else "veto" if allowed == 0 else "shrink"
            names = self.terms.markets[market], self.terms.books[book], verdict, CODE_NAMES[code]
            self.desk.note(now_ns, Verdict(*names, wanted_lots, allowed, 0, 0, _finite(measured), _finite(bound)))

    def transfer(self, targets: Targets, at_ns: int) -> None:
        """Move capital to where the treasury wants it: floor(weight x NAV) each, the house takes the rest."""
        books, terms, nav = self.desk.keeper.books, self.terms, self.desk.keeper.books.nav_micro()
        equity = {book: books.equity_micro(book) for book in terms.names}
        capital = {book: int(np.floor(w * nav)) for book, w in zip(terms.books, targets.weights, strict=True)}
        moves = [(book, capital[book] - equity[book]) for book in terms.books]
        moves.append((HOUSE, -sum(cash for _, cash in moves)))
        moved = tuple(each for each in moves if each[1])
        if moved:
            self.desk.note(at_ns, Transfer(moved, "allocation"))
        capital[HOUSE] = nav - sum(capital.values())
        shadow = dict(zip(terms.books, targets.shadow_equity_micro, strict=False))
        weight = dict(zip(terms.books, targets.weights, strict=True))
        throttle = dict(zip(terms.books, self.desk.memory.throttle, strict=False))
        for book in terms.names:
            row = capital[book], equity[book], weight.get(book), throttle.get(book, 1.0), shadow.get(book, 0)
            self.desk.note(at_ns, Capital(book, *row))

    def opened(self, cycle: int, at_ns: int, state: int) -> Opened:
        """What the brain is told: the books at t_k, after funding, before transfers."""
        terms, books, memory = self.terms, self.desk.keeper.books, self.desk.memory
        capital = [memory.capital.get(book, books.cash_micro(book)) for book in terms.names]
        return Opened(
            cycle=cycle,
            at_ns=at_ns,
            lots=tuple(tuple(books.lots(book, market) for book in terms.names) for market in terms.markets),
            cash_micro=tuple(books.cash_micro(book) for book in terms.names),
            capital_micro=tuple(capital),
            nav_micro=self.desk.keeper.books.nav_micro(),
            peak_micro=memory.peak_micro,
            mark_micro=tuple(books.marks.get(market, 0) for market in terms.markets),
            age_bars=tuple(memory.age.get(market, NEVER) for market in terms.markets),
            throttle=memory.throttle or (1.0,) * len(terms.books),
            fund_throttle=memory.fund_throttle,
            state=min(state, HALTED_STATE),
            lines=tuple(memory.line(market).state == "IDLE" for market in terms.markets),
        )


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None
