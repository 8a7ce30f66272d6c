"""The whole fund, one cycle after another, as docs/semantics.md section 9 says it. Read `run` first."""

import math
from dataclasses import replace
from itertools import pairwise

from tests.reference import allot, costs, gate, graduation, pace, resting, venue, wishes
from tests.reference.books import Account, Fund, opened
from tests.reference.facts import (
    HOUSE,
    BookRow,
    Facts,
    FillRow,
    FundingRow,
    NavRow,
    Result,
    Terms,
    sign,
)
from tests.reference.limits import of_file
from tests.reference.office import Office
from tests.reference.shadow import live, speak


def run(facts: Facts, terms: Terms) -> Result:
    """Run the fund over every cycle of `facts`; the last row of time only strikes a NAV."""
    fund, office = found(facts, terms), Office()
    last = facts.cycles  # the row of the last NAV
    for k in range(facts.cycles):
        pay_funding(fund, k, inside=True)
        settle_what_rested(fund, k)
        strike_nav(fund, k)
        if fund.nav(k) > 0:
            pay_funding(fund, k, inside=False)
            settle_the_dead(fund, k)
        nav = fund.nav(k)  # NAV': what sizing and limits use
        if nav <= 0:
            fund.result.ended_at, last = facts.id(k), k
            break
        equity = {book.name: fund.equity(book, k) for book in fund.everyone}
        suspended = allocate(fund, k, nav) if k == 0 or facts.midnight(k) else set()
        moved = office.look(fund, k, nav) | suspended
        if k == 0 or facts.midnight(k):
            report_costs(fund, k)
            report_books(fund, k, equity)
        wishes.wish(fund, k, moved)
        trade(fund, k, nav)
    else:
        pay_funding(fund, last, inside=True)
        settle_what_rested(fund, last)
        strike_nav(fund, last)
    close_parents(fund, last)
    report_costs(fund, last)
    fund.result.lots = {book.name: book.lots for book in fund.everyone}
    fund.result.cash = {book.name: book.cash for book in fund.everyone}
    return fund.result


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
                book.tally[m].funding += paid
                fund.result.funding.append(FundingRow(at, event.at_ns, facts.names[m], book.name, book.lots[m], -paid))
        if owed:
            fund.house.cash -= owed
            fund.house.tally[m].funding += owed
            fund.result.funding.append(FundingRow(at, event.at_ns, facts.names[m], fund.house.name, 0, -owed))


def settle_what_rested(fund: Fund, k: int) -> None:
    """What rested through bar k fills or not; what fills is shared by the books' wants; then it is gone."""
    facts, terms = fund.facts, fund.terms
    names = [book.name for book in fund.books]
    for m, order in sorted(fund.resting.items()):
        lots = resting.filled(facts, k, m, order)
        hashes = [allot.tie(facts.id(k), facts.names[m], name) for name in names]
        shares = allot.largest_remainder(abs(lots), order.wants, hashes)
        fees = allot.largest_remainder(venue.maker_fee(terms, abs(lots), order.limit), shares, hashes)
        for book, share, fee in zip(fund.books, shares, fees, strict=True):
            if share:
                signed = sign(lots) * share
                row = (facts.id(k), facts.names[m], book.name, signed, order.limit, order.reference, fee, "maker")
                fund.post(book, m, FillRow(*row))
    fund.resting.clear()


def strike_nav(fund: Fund, k: int) -> None:
    """The row of t_k, before its funding. VaR by the tail of the limits in force since the look before."""
    cash, nav = sum(book.cash for book in fund.everyone), fund.nav(k)
    fund.peak = max(fund.peak, nav)
    worth = [float(fund.net(m) * mark) for m, mark in enumerate(fund.facts.mark[k])]
    gross, net = sum(abs(x) for x in worth) / nav, sum(worth) / nav
    variance = gate.quadratic(fund.facts.covariance(k), worth)
    var = fund.limits.tail * math.sqrt(max(0.0, variance)) / nav
    fund.result.nav.append(NavRow(fund.facts.id(k), nav, cash, gross, net, 1.0 - nav / fund.peak, var))


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
        wishes.drop(fund, k, m)
        for book in fund.books:
            if book.lots[m]:
                fund.post(book, m, FillRow(facts.id(k), name, book.name, -book.lots[m], price, mark, 0, "settlement"))


def allocate(fund: Fund, k: int, nav: int) -> set[str]:
    """The treasury at 00:00 (and first of all): give each book its capital, the house the rest. -> who is suspended"""
    before = {name: place.stage for name, place in fund.places.items()}
    shares = shares_of(fund, k)
    above = nav > fund.mark and not fund.terms.compound
    left = 0
    for book, weight, share in zip(fund.books, weights_of(fund, k), shares, strict=True):
        given = weight * share * (fund.mark / nav) if above else weight * share
        book.capital = math.floor(given * nav)
        left -= fund.transfer(fund.facts.id(k), book, book.capital - fund.equity(book, k))
    fund.transfer(fund.facts.id(k), fund.house, left)
    for name, place in fund.places.items():
        if place.stage != before[name]:
            fund.result.met[f"{before[name]} to {place.stage}"] += 1
    fund.result.met["above the mark"] += above
    return {name for name, place in fund.places.items() if place.stage == "suspended" != before[name]}


def shares_of(fund: Fund, k: int) -> list[float]:
    """What each book's stage lets it have of its weight, after one day more where one is over."""
    gate = fund.terms.graduation
    if gate is None:
        return [1.0 for _ in fund.books]
    for book in fund.books:
        days = days_of(fund, book, k)
        if days and fund.facts.midnight(k):
            target = book.mandate.volatility_target
            graduation.look(fund.places[book.name], days, target, len(fund.books), gate)
    return [graduation.share(fund.places[book.name].stage, gate) for book in fund.books]


def days_of(fund: Fund, book: Account, k: int) -> list[float]:
    """What a book's shadow made of each whole day until now, fraction of its reference capital."""
    at_midnight = [book.shadow.equity[i] for i in range(k + 1) if fund.facts.midnight(i)]
    return [(new - old) / fund.terms.capital_micro for old, new in pairwise(at_midnight)]


def weights_of(fund: Fund, k: int) -> list[float]:
    """Equal shares; after thirty days, by the article's rule, exp(Sharpe) of each shadow's last thirty days."""
    sharpes = []
    days = fund.terms.window_days
    for book in fund.books:
        returns = days_of(fund, book, k)[-days:]
        if fund.terms.allocator == "equal" or len(returns) < days:
            return [1.0 / len(fund.books)] * len(fund.books)
        mean = math.fsum(returns) / days
        std = math.sqrt(math.fsum((x - mean) * (x - mean) for x in returns) / (days - 1))
        sharpes.append(mean / std if std > 0.0 else 0.0)
    best = max(sharpes)  # same shares; without it a shadow with nearly equal returns overflows, or starves all
    scores = [math.exp(sharpe - best) for sharpe in sharpes]
    return [score / math.fsum(scores) for score in scores]


def report_books(fund: Fund, k: int, equity: dict[str, int]) -> None:
    """The books of the day: equity before the transfers, capital after them, the throttle of this cycle."""
    at = fund.facts.id(k)
    for book, throttle in zip(fund.books, fund.limits.throttle, strict=True):
        fund.result.books.append(
            BookRow(at, book.name, book.capital, equity[book.name], throttle, book.shadow.equity[k])
        )
    house = fund.house
    fund.result.books.append(BookRow(at, house.name, fund.equity(house, k), equity[house.name], 1.0, 0))


def report_costs(fund: Fund, k: int) -> None:
    """What trading cost since the last such rows, by book and market, where it cost anything: the house has funding."""
    for book in fund.everyone:
        for name, tally in zip(fund.facts.names, book.tally, strict=True):
            row = tally.row(fund.facts.id(k), name, book.name)
            if row is not None:
                fund.result.costs.append(row)


def close_parents(fund: Fund, k: int) -> None:
    """At the end every wish is over, met or not."""
    for book in fund.books:
        for m, tally in enumerate(book.tally):
            tally.replace(book.wish[m], book.lots[m], fund.facts.mark[k][m])


def trade(fund: Fund, k: int, nav: int) -> None:
    """Cap, net, judge, fill, cross and allot."""
    facts, terms = fund.facts, fund.terms
    wanted_by, making, orders = [], [], []
    for m in range(len(facts.names)):
        raw, held = [book.raw[m] for book in fund.books], fund.net(m)
        capped, code = gate.cap_market(facts, fund.limits, k, m, raw, held, nav)
        wanted_by.append([target - book.lots[m] for target, book in zip(capped, fund.books, strict=True)])
        waiting = [pace.waits(facts, book.mandate, book.wants[m]) for book in fund.books]
        made, makes = pace.ways(facts, terms, k, m, wanted_by[m], waiting)
        making.append(makes)
        wanted = sum(raw) - held if facts.mark[k][m] else 0
        orders.append(gate.Order(held=held, wanted=wanted, d=sum(wanted_by[m]), made=made, code=code))
    fund.result.verdicts += gate.judge(facts, terms, k, orders, nav, fund.limits)

    names = [book.name for book in fund.books]
    for m, order in enumerate(orders):
        if facts.reference[k][m] == 0:
            continue
        more = min(order.q_taken, facts.liquidity[k][m] - abs(order.filled))
        bought = order.filled + sign(order.q) * more
        rows = allot.fills(facts, terms, k, m, wanted_by[m], bought, names, order.made, making[m])
        crossed = sum(abs(row.lots) for row in rows if row.kind == "cross") // 2
        for row in rows:
            book = fund.books[names.index(row.book)]
            fund.post(book, m, row)
            if row.kind == "cross":
                book.tally[m].saved += costs.saved_by_crossing(facts, terms, k, m, row.lots, crossed)
        if order.resting:
            wants = allot.open_wants(facts, k, m, wanted_by[m], names, order.made, making[m])
            fund.resting[m] = resting.place(facts, terms, k, m, order.resting, wants)


def found(facts: Facts, terms: Terms) -> Fund:
    """Live every shadow, then deposit: to the house, from it to the books, one interval before the first decision."""
    voices, capital = speak(facts, terms), terms.capital_micro
    books = [opened(mandate.name, facts, mandate, live(facts, terms, mandate, voices)) for mandate in terms.mandates]
    file = replace(of_file(terms, len(facts.names)), number=0)
    fund = Fund(facts, terms, books, opened(HOUSE, facts), file, capital, mark=capital)
    if terms.graduation is not None:
        fund.places = {book.name: graduation.Place(terms.graduation.start) for book in books}
    fund.result.shadow_targets = {book.name: book.shadow.target for book in books}
    at = facts.id(0) - 1
    fund.transfer(at, fund.house, capital)
    for book in books:
        book.capital = fund.transfer(at, book, math.floor(1.0 / len(books) * capital))
    fund.transfer(at, fund.house, -sum(book.capital for book in books))
    return fund
