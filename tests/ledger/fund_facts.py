"""A made-up fund told in facts: random trades that mean nothing and balance to the micro-dollar."""

from collections.abc import Iterator
from random import Random

from podshop.ledger.books import Books
from podshop.ledger.facts import (
    HOUSE,
    Capital,
    Deposit,
    Fact,
    Fee,
    Fill,
    Funding,
    FundingShare,
    Intent,
    Marks,
    Nav,
    Share,
    Signals,
    Start,
    Transfer,
    Verdict,
)

INTERVAL_NS = 300_000_000_000
MARKETS = ("BTC", "ETH", "XRP")
BOOKS = ("trend", "carry", "swing")
Batch = list[tuple[int, Fact]]


class Telling:
    """Tells one cycle's facts at a time; `books` is where they lead."""

    def __init__(self, seed: int, markets: tuple[str, ...] = MARKETS, books: tuple[str, ...] = BOOKS) -> None:
        self.random, self.markets, self.names = Random(seed), markets, books
        self.books = Books()
        self.mark = {market: self.random.randrange(1_000_000, 90_000_000) for market in markets}

    def cycles(self, count: int) -> Iterator[Batch]:
        """A batch per cycle; the first also starts the fund."""
        for k in range(count):
            at = k * INTERVAL_NS
            facts = [*(self._opening() if k == 0 else []), *self._cycle(k)]
            for fact in facts:
                self.books.post(fact)
            yield [(at, fact) for fact in [*facts, *self._closing(k)]]

    def _opening(self) -> Iterator[Fact]:
        yield Start("made-up", INTERVAL_NS, self.markets, (1e-5,) * len(self.markets), self.names, "a test")
        yield Deposit("wire-1", HOUSE, 10**11)
        moves = tuple((name, 10**10) for name in self.names)
        yield Transfer(((HOUSE, -(10**10) * len(self.names)), *moves), "allocation")

    def _cycle(self, k: int) -> Iterator[Fact]:
        draw = self.random.randrange
        self.mark = {market: max(mark + draw(-mark // 200, mark // 200 + 1), 100) for market, mark in self.mark.items()}
        yield Signals(k, f"{draw(1 << 256):064x}")
        yield Marks(k, self.markets, tuple(self.mark.values()), (0,) * len(self.markets))
        for market, mark in self.mark.items():
            if draw(3) == 0:
                yield from self._trade(k, market, mark)
            if k % 96 == 0:
                yield from self._funding(k, market, mark)
        if draw(50) == 0:
            yield Fee(f"fee-{k}", HOUSE, draw(1, 1_000), "withdrawal")
        if draw(50) == 0:
            moved = draw(-(10**7), 10**7)
            yield Transfer(((self.names[0], moved), (self.names[-1], -moved)), "allocation")

    def _trade(self, k: int, market: str, mark: int) -> Iterator[Fact]:
        draw = self.random.randrange
        lots = [draw(-9, 10) for _ in self.names]
        net, intent = sum(lots), f"{k}-{market}"
        yield Verdict(market, "NET", "approve", "OK", net, net, net, 0, None, 0.05)
        if net:
            yield Intent(intent, market, net, (k + 1) * INTERVAL_NS, tuple(zip(self.names, lots, strict=True)))
            fees = [draw(0, 50) for _ in lots]
            yield Fill(f"fill-{k}-{market}", intent, market, net, mark + 3, sum(fees))
        else:
            fees = [0] * len(lots)
        for name, part, fee in zip(self.names, lots, fees, strict=True):
            yield Share(intent, name, market, part, mark + 3, mark, fee, "venue" if net else "cross")

    def _funding(self, k: int, market: str, mark: int) -> Iterator[Fact]:
        paid = [(name, self.books.lots(name, market)) for name in self.names]
        cash = [-round(lots * mark * 1e-4) for _, lots in paid]
        yield Funding(f"funding-{k}-{market}", market, sum(cash))
        for (name, lots), received in zip(paid, cash, strict=True):
            yield FundingShare(name, market, lots, mark, 1e-4, "venue", received)

    def _closing(self, k: int) -> Iterator[Fact]:
        yield Nav(k, self.books.nav_micro(), self.books.balances["venue:cash"], None)
        if k % 288 == 0:
            for name in (*self.names, HOUSE):
                equity = self.books.equity_micro(name)
                yield Capital(name, equity, equity, None, 1.0, equity)
