"""The whole fund, one cycle after another, as docs/semantics.md section 9 says it. Read `run` first."""

import math
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from tests.reference import allot, gate, venue
from tests.reference.facts import (
    HOUSE,
    BookRow,
    Facts,
    FillRow,
    FundingRow,
    NavRow,
    Result,
    Terms,
    TransferRow,
    VerdictRow,
    sign,
)
from tests.reference.shadow import Shadow, live, speak


def run(facts: Facts, terms: Terms) -> Result:
    """Run the fund over every cycle of `facts`; the last row of time only strikes a NAV."""
    fund = found(facts, terms)
    for k in range(facts.cycles):
        pay_funding(fund, k, inside=True)
        strike_nav(fund, k)
        if fund.nav(k) > 0:
            pay_funding(fund, k, inside=False)
            settle_the_dead(fund, k)
        nav = fund.nav(k)  # NAV': what sizing and limits use
        if nav <= 0:
            fund.result.ended_at = facts.id(k)
            break
        equity = {book.name: fund.equity(book, k) for book in fund.everyone}
        if k == 0 or facts.midnight(k):
            allocate(fund, k, nav)
        moved = climb_ladders(fund, k, nav)
        if k == 0 or facts.midnight(k):
            report_books(fund, k, equity)
        wish(fund, k, moved)
        trade(fund, k, nav)
    else:
        pay_funding(fund, facts.cycles, inside=True)
        strike_nav(fund, facts.cycles)
    fund.result.lots = {book.name: book.lots for book in fund.everyone}
    fund.result.cash = {book.name: book.cash for book in fund.everyone}
    return fund.result


@dataclass
class Rung:
    """Where one ladder stands."""

    peak: int
    throttle: float = 1.0


@dataclass
class Account:
    """A book's account, or the house's (which has no mandate and no shadow)."""

    name: str
    lots: list[int]
    raw: list[int]  # targets after throttle and book gross, before the market cap
    rung: Rung
    mandate: Any = None
    shadow: Shadow = field(default_factory=Shadow)
    cash: int = 0
    capital: int = 0


@dataclass
class Fund:
    facts: Facts
    terms: Terms
    books: list[Account]
    house: Account
    rung: Rung
    state: str = "RUNNING"
    raised_ns: int = 0  # when REDUCE_ONLY began
    result: Result = field(default_factory=Result)

    @property
    def everyone(self) -> list[Account]:
        return [*self.books, self.house]

    def equity(self, book: Account, k: int) -> int:
        return book.cash + sum(lots * mark for lots, mark in zip(book.lots, self.facts.mark[k], strict=True))

    def nav(self, k: int) -> int:
        return sum(self.equity(book, k) for book in self.everyone)

    def net(self, m: int) -> int:
        return sum(book.lots[m] for book in self.everyone)


def pay_funding(fund: Fund, k: int, *, inside: bool) -> None:
    """Funding of the time before t_k at the mark of k-1, or of t_k itself at its mark. The account pays once; the
    books pay their own, and the house the odd micro-dollar between.
    """
    facts, at = fund.facts, fund.facts.id(k)
    for event in facts.funding_before(k) if inside else facts.funding_at(k):
        m = event.market
        if not any(book.lots[m] for book in fund.books):
            continue
        mark = facts.mark[k - 1 if inside else k][m]
        owed = venue.funding_paid(event, fund.net(m), mark)
        for book in fund.books:
            if book.lots[m]:
                paid = venue.funding_paid(event, book.lots[m], mark)
                owed -= paid
                book.cash -= paid
                fund.result.funding.append(FundingRow(at, event.at_ns, facts.names[m], book.name, book.lots[m], -paid))
        if owed:
            fund.house.cash -= owed
            fund.result.funding.append(FundingRow(at, event.at_ns, facts.names[m], fund.house.name, 0, -owed))


def strike_nav(fund: Fund, k: int) -> None:
    cash = sum(book.cash for book in fund.everyone)
    fund.result.nav.append(NavRow(fund.facts.id(k), fund.nav(k), cash))


def settle_the_dead(fund: Fund, k: int) -> None:
    """A market without a bar for a day, while another trades, is left at its last mark less 5 %.

    All its books leave at one price, that of the account's side, so that they still sum to the venue.
    """
    facts = fund.facts
    for m, name in enumerate(facts.names):
        if not (facts.dead(k, m) and any(book.lots[m] for book in fund.books)):
            continue
        mark = facts.mark[k][m]
        price = venue.settlement_price(fund.net(m), mark)
        for book in fund.books:
            book.raw[m] = 0
            if book.lots[m]:
                _post(fund, book, m, FillRow(facts.id(k), name, book.name, -book.lots[m], price, mark, 0, "settlement"))


def allocate(fund: Fund, k: int, nav: int) -> None:
    """The treasury at 00:00 (and first of all): give each book its capital, the house the rest."""
    weights = weights_of(fund, k)
    left = 0
    for book, weight in zip(fund.books, weights, strict=True):
        book.capital = math.floor(weight * nav)
        left -= _transfer(fund, fund.facts.id(k), book, book.capital - fund.equity(book, k))
    _transfer(fund, fund.facts.id(k), fund.house, left)


def weights_of(fund: Fund, k: int) -> list[float]:
    """Equal shares; after thirty days, by the article's rule, exp(Sharpe) of each shadow's last thirty days."""
    sharpes = []
    days = fund.terms.window_days
    for book in fund.books:
        at_midnight = [book.shadow.equity[i] for i in range(k + 1) if fund.facts.midnight(i)]
        returns = [(new - old) / fund.terms.capital_micro for old, new in pairwise(at_midnight)][-days:]
        if fund.terms.allocator == "equal" or len(returns) < days:
            return [1.0 / len(fund.books)] * len(fund.books)
        mean = math.fsum(returns) / days
        std = math.sqrt(math.fsum((x - mean) * (x - mean) for x in returns) / (days - 1))
        sharpes.append(mean / std if std > 0.0 else 0.0)
    best = max(sharpes)  # same shares; without it a shadow with nearly equal returns overflows, or starves all
    scores = [math.exp(sharpe - best) for sharpe in sharpes]
    return [score / math.fsum(scores) for score in scores]


def climb_ladders(fund: Fund, k: int, nav: int) -> set[str]:
    """Drawdown to throttle, per book on its shadow and for the fund on NAV'. -> names of the books to wish anew."""
    ladder, facts = fund.terms.ladder, fund.facts
    if not (k == 0 or facts.fires(k, ladder.cadence_ns)):
        return set()
    if fund.state == "REDUCE_ONLY" and _person_lowers(fund, k):
        fund.state, fund.rung.peak = "RUNNING", nav
    before = fund.rung.throttle
    step = _climb(fund, fund.rung, nav, fund.rung.peak, ladder.fund_volatility)
    if step >= ladder.out_from and fund.state == "RUNNING":
        fund.state, fund.raised_ns = "REDUCE_ONLY", facts.time[k]
    moved = {book.name for book in fund.books} if fund.rung.throttle != before else set()
    for book in fund.books:
        before = book.rung.throttle
        _climb(fund, book.rung, book.shadow.kept[k], book.shadow.peak[k], book.mandate.volatility_target)
        if book.rung.throttle != before:
            moved.add(book.name)
    return moved


def _climb(fund: Fund, rung: Rung, equity: int, peak: int, volatility: float) -> float:
    """One ladder reads one equity: a throttle below 1 only falls, until the drawdown is back below."""
    ladder = fund.terms.ladder
    rung.peak = max(rung.peak, peak, equity)
    step = (1.0 - equity / rung.peak) / volatility
    throttle = 0.0 if step >= ladder.out_from else 0.5 if step >= ladder.halve_from else 1.0
    if rung.throttle < 1.0 and step >= ladder.back_below:
        throttle = min(throttle, rung.throttle)
    rung.throttle = throttle
    return step


def _person_lowers(fund: Fund, k: int) -> bool:
    operator = fund.terms.operator
    return isinstance(operator, int) and fund.facts.time[k] - fund.raised_ns >= operator


def report_books(fund: Fund, k: int, equity: dict[str, int]) -> None:
    """The books of the day: equity before the transfers, capital after them, the throttle of this cycle."""
    at = fund.facts.id(k)
    for book in fund.books:
        fund.result.books.append(
            BookRow(at, book.name, book.capital, equity[book.name], book.rung.throttle, book.shadow.equity[k])
        )
    house = fund.house
    fund.result.books.append(BookRow(at, house.name, fund.equity(house, k), equity[house.name], 1.0, 0))


def wish(fund: Fund, k: int, moved: set[str]) -> None:
    """Refresh the books' targets at their cadence, or at once when a throttle moved or a shadow cries out."""
    facts, terms = fund.facts, fund.terms
    for book in fund.books:
        if not (book.name in moved or facts.fires(k, book.mandate.cadence_ns) or book.shadow.urgent[k]):
            continue
        if book.name in moved or facts.fires(k, book.mandate.cadence_ns):
            factor = book.capital * book.rung.throttle * fund.rung.throttle / terms.capital_micro
            book.raw = [math.trunc(target * factor) for target in book.shadow.target[k]]
            _limit_book(fund, k, book)
        if book.shadow.urgent[k]:
            book.raw = [raw if target else 0 for raw, target in zip(book.raw, book.shadow.target[k], strict=True)]


def _limit_book(fund: Fund, k: int, book: Account) -> None:
    """A book's own gross limit, when its wish is made."""
    room = fund.terms.book_gross * book.capital
    gross = sum(abs(lots) * mark for lots, mark in zip(book.raw, fund.facts.mark[k], strict=True))
    if gross <= room:
        return
    for m, name in enumerate(fund.facts.names):
        wanted, book.raw[m] = book.raw[m], math.trunc(book.raw[m] * (room / gross))
        if book.raw[m] != wanted:
            verdict = "shrink" if book.raw[m] else "veto"
            fund.result.verdicts.append(
                VerdictRow(fund.facts.id(k), name, book.name, verdict, "BOOK_GROSS", wanted, book.raw[m])
            )


def trade(fund: Fund, k: int, nav: int) -> None:
    """Cap, net, judge, fill, cross and allot."""
    facts, terms = fund.facts, fund.terms
    wishes, orders = [], []
    for m in range(len(facts.names)):
        raw, held = [book.raw[m] for book in fund.books], fund.net(m)
        capped, code = gate.cap_market(facts, terms, k, m, raw, held, nav)
        wishes.append([target - book.lots[m] for target, book in zip(capped, fund.books, strict=True)])
        wanted = sum(raw) - held if facts.mark[k][m] else 0
        orders.append(gate.Order(held=held, wanted=wanted, d=sum(wishes[m]), code=code))
    fund.result.verdicts += gate.judge(facts, terms, k, orders, nav, fund.state)

    names = [book.name for book in fund.books]
    for m, order in enumerate(orders):
        more = min(abs(order.q), facts.liquidity[k][m] - abs(order.filled))
        bought = order.filled + sign(order.q) * more
        for row in allot.fills(facts, terms, k, m, wishes[m], bought, names):
            _post(fund, fund.books[names.index(row.book)], m, row)


def _post(fund: Fund, book: Account, m: int, fill: FillRow) -> None:
    book.lots[m] += fill.lots
    book.cash -= fill.lots * fill.price_micro + fill.fee_micro
    fund.result.fills.append(fill)


def _transfer(fund: Fund, at: int, book: Account, micro: int) -> int:
    """Move cash to a book (from it, when negative); the caller balances. -> what was moved"""
    if micro:
        book.cash += micro
        fund.result.transfers.append(TransferRow(at, book.name, micro))
    return micro


def found(facts: Facts, terms: Terms) -> Fund:
    """Live every shadow, then deposit: to the house, from it to the books, one interval before the first decision."""
    voices = speak(facts, terms)
    flat, capital = [0] * len(facts.names), terms.capital_micro
    books = [
        Account(mandate.name, list(flat), list(flat), Rung(capital), mandate, live(facts, terms, mandate, voices))
        for mandate in terms.mandates
    ]
    fund = Fund(facts, terms, books, Account(HOUSE, list(flat), list(flat), Rung(capital)), Rung(capital))
    fund.result.shadow_targets = {book.name: book.shadow.target for book in books}
    at = facts.id(0) - 1
    _transfer(fund, at, fund.house, capital)
    for book in books:
        book.capital = _transfer(fund, at, book, math.floor(1.0 / len(books) * capital))
    _transfer(fund, at, fund.house, -sum(book.capital for book in books))
    return fund
