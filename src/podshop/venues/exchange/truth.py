"""What the exchange would swear to: one account's positions, cash, orders, fills and funding.

A pure state machine: it knows no clock, network or chance; `now_ns` comes with every call and never runs back. Prices,
fees and funding are those of the backtest's venue, to the micro-dollar (docs/semantics.md, section 9), so that a fund
that trades here through the whole live path ends with the books of its backtest.

Orders are immediate-or-cancel, or rest: then they fill in a bar that trades beyond their limit, at the limit, at most
what a queue leaves of a usual bar. (A bar's range may lie before the order's arrival; bars cannot tell.)
"""

from collections.abc import Mapping, Sequence

from podshop.execution.pace import trades_beyond
from podshop.ledger.settle import funding_of
from podshop.maths.compiled import original
from podshop.nouns import ASSUMED, ConfigError, Funding, Instrument, Market
from podshop.nouns.venue import Filled, Listed, Paid, Quote
from podshop.venues.exchange.account import Account
from podshop.venues.exchange.batch import Costs, Share, cash_of, dead_price, fee_of
from podshop.venues.exchange.cycle import Cycle
from podshop.venues.exchange.placed import REFUSALS, UNRECORDED, Ack, Placed, Terms, Tif, clipped
from podshop.venues.exchange.tape import Liquid, Tape

FIRST_ORDER = 42_000_000_001
FAR_NS = 1 << 62
_funding_of, _trades_beyond = original(funding_of), original(trades_beyond)


class Exchange:
    """One account at one exchange.

    account   its positions, cash, fills and funding;  orders  every order that left a trace, by number
    leverage  market -> what the account chose
    """

    def __init__(
        self,
        market: Market,
        funding: Funding,
        instruments: tuple[Instrument, ...],
        terms: Terms,
        start_ns: int,
        cash_micro: int,
        liquid: Liquid | None = None,
    ) -> None:
        self.tape = Tape(market, funding, instruments, liquid)
        self.terms, self.instruments = terms, {each.name: each for each in instruments}
        self.now_ns, self.row = start_ns, self.tape.row(start_ns)
        if self.row < 0:
            raise ConfigError("the exchange would open before its first bar has closed")
        self.names = market.names
        self._index = {name: m for m, name in enumerate(market.names)}
        self.account = Account(market.names, cash_micro)
        self.lots = self.account.lots
        self.leverage = {name: terms.max_leverage.get(name, 20) for name in market.names}
        self.orders: dict[int, Placed] = {}
        self.listing: dict[str, Listed] = {}  # what was changed of a listing by hand
        self._by_client: dict[str, Placed] = {}
        self._rests: dict[int, Placed] = {}
        self._costs = Costs(terms.fee_e8, terms.half_spread, terms.impact)
        self._cycle = Cycle(self.tape, self.row, self._costs)
        self._settled = int((funding.at_ns <= start_ns).sum())  # funding rows that are past

    # ---------------------------------------------------------------- time

    def advance(self, now_ns: int) -> None:
        """Let everything happen that happens by then: funding, bars, what rests. Never runs back."""
        tape = self.tape
        while self.now_ns < now_ns:
            bar_ns = int(tape.time[self.row + 1]) if self.row + 1 < len(tape.time) else FAR_NS
            event_ns = int(tape.funding.at_ns[self._settled]) if self._settled < len(tape.funding.at_ns) else FAR_NS
            at_ns = min(bar_ns, event_ns)
            if at_ns > now_ns:
                break
            if at_ns == bar_ns:
                self._close_bar(bar_ns)
            while self._settled < len(tape.funding.at_ns) and int(tape.funding.at_ns[self._settled]) == at_ns:
                self._pay(self._settled)
                self._settled += 1
            if at_ns == bar_ns:
                self._settle_dead()
        self.now_ns = max(self.now_ns, now_ns)

    def _close_bar(self, at_ns: int) -> None:
        """A cycle ends: its fills are priced for good, what rests meets the bar, a new cycle begins."""
        self.publish()
        before, self.row = self.row, self.row + 1
        self._cycle = Cycle(self.tape, self.row, self._costs)
        rested = dict.fromkeys(self.names, 0)
        for order in list(self._rests.values()):
            m = self._index[order.market]
            low, high = int(self.tape.low[self.row, m]), int(self.tape.high[self.row, m])
            most = self.tape.liquidity(before, m)[3] - rested[order.market]
            lots = clipped(self.lots[order.market], order.left, order.reduce_only)
            lots = min(abs(lots), max(most, 0)) * (1 if order.asked > 0 else -1)
            if lots and _trades_beyond(order.asked, order.limit_micro, low, high):
                rested[order.market] += abs(lots)
                fee = int(fee_of(lots, order.limit_micro, self.terms.maker_fee_e8))
                self.account.move(order.market, lots, order.limit_micro)
                self.account.book(order, lots, order.limit_micro, fee, at_ns - 1000)
                order.filled += lots
                if order.filled == order.asked:
                    self._rests.pop(order.number)
                    order.status, order.changed_ns = "filled", at_ns - 1000

    def _pay(self, event: int) -> None:
        """One settlement of funding, on what is held, at the mark."""
        funding, m = self.tape.funding, int(self.tape.funding.market[event])
        name, rate = self.names[m], float(funding.rate[event])
        lots, mark = self.lots[name], int(self.tape.mark[self.row, m])
        if lots != 0:
            assumed = bool(funding.source[event] == ASSUMED)
            cash = int(_funding_of(lots, mark, rate, assumed))
            self.account.pay(Paid(f"F{event}", name, cash, rate, lots, int(funding.at_ns[event]), assumed))

    def _settle_dead(self) -> None:
        """Close what is held of a market that trades no more."""
        for m, name in enumerate(self.names):
            if self.lots[name] != 0 and self.tape.dead[self.row, m]:
                at_ns = int(self.tape.time[self.row])
                price = dead_price(self.lots[name], int(self.tape.mark[self.row, m]))
                self._outside(name, -self.lots[name], price, 0, at_ns, "settlement")

    # ---------------------------------------------------------------- orders

    def submit(
        self,
        now_ns: int,
        market: str,
        lots: int,
        limit_micro: int,
        *,
        reduce_only: bool = False,
        whole: bool = False,
        tif: Tif = "ioc",
        client_id: str | None = None,
        expires_ns: int | None = None,
        tag: str = "",
    ) -> Ack:
        """An order arrives.

        lots         signed;  whole  instead: close whatever there is
        limit_micro  worst price accepted;  expires_ns  not taken from then on; None = whenever it comes
        client_id    refused when it was used before
        """
        self.advance(now_ns)
        if market not in self._index:
            return self._refused("unknown_market", None)
        lots = -self.lots[market] if whole else lots
        code = (
            "expired" if expires_ns is not None and self.now_ns >= expires_ns
            else "duplicate_id" if client_id is not None and client_id in self._by_client
            else "no_position" if whole and lots == 0
            else "invalid_size" if lots == 0
            else ""
        )  # fmt: skip
        if code in UNRECORDED:
            return self._refused(code, None)
        number, before = FIRST_ORDER + len(self.orders), self.lots[market]
        order = Placed(number, market, lots, limit_micro, reduce_only, tif, self.now_ns, before, client_id, tag)
        self.orders[number] = order
        order.changed_ns = self.now_ns
        if client_id is not None:
            self._by_client[client_id] = order
        code = code or self._why_not(order)
        return self._refused(code, order) if code else self._match(order)

    def resting(self) -> tuple[Placed, ...]:
        """Orders that rest, oldest first."""
        return tuple(self._rests.values())

    def cancel(self, now_ns: int, number: int) -> bool:
        """Take back what rests of an order; False where nothing does."""
        self.advance(now_ns)
        order = self._rests.pop(number, None)
        if order is None:
            return False
        order.status, order.code, order.changed_ns = "canceled", "canceled", self.now_ns
        return True

    def find(self, order_id: str | None, client_id: str | None = None) -> Placed | None:
        """An order by the exchange's id or by the sender's."""
        if order_id is not None:
            return self.orders.get(int(order_id)) if order_id.isdigit() else None
        return self._by_client.get(client_id) if client_id is not None else None

    def set_leverage(self, market: str, leverage: int) -> bool:
        """Choose the leverage of a market; False where it is not offered."""
        if market not in self._index or not 1 <= leverage <= self.terms.max_leverage.get(market, 20):
            return False
        self.leverage[market] = leverage
        return True

    def _refused(self, code: str, order: Placed | None) -> Ack:
        if order is not None:
            order.status, order.code = "rejected", code
        return Ack(code, REFUSALS[code], order)

    def _why_not(self, order: Placed) -> str:
        held, m = self.lots[order.market], self._index[order.market]
        if order.reduce_only and clipped(held, order.asked, True) == 0:
            return "reduce_only"
        after = held + clipped(held, order.asked, order.reduce_only)
        grows = abs(after) > abs(held) or after * held < 0
        if grows and self._listing(order.market).delisted:
            return "delisted"
        mark = int(self.tape.mark[self.row, m]) or int(self.tape.reference[self.row, m])
        lots = abs(order.asked) + self._cycle.filled(m, 1 if order.asked > 0 else -1)
        if lots * mark < self.terms.min_notional_micro.get(order.market, 10_000_000) and after != 0:
            return "min_notional"
        if grows and self._margin_needed({order.market: after}) > self.equity_micro():
            return "margin"
        return ""

    def _match(self, order: Placed) -> Ack:
        """Fill what the book bears within the limit; the rest lapses, or rests where the order asks for it."""
        m, price = self._index[order.market], 0
        wanted = clipped(self.lots[order.market], order.asked, order.reduce_only)
        lots = self._cycle.bears(m, wanted, order.limit_micro)
        if lots and order.tif == "alo":
            return self._refused("post_only", order)
        if lots:
            order.filled = lots if wanted > 0 else -lots
            price = self._cycle.take(m, Share(order.number, order.filled, order.limit_micro))
            self.account.move(order.market, order.filled, price)
        if order.filled == order.asked or (lots and order.tif == "ioc"):
            order.status = "filled"
        elif order.tif == "ioc":
            return self._refused("no_match", order)
        else:
            self._rests[order.number] = order
        return Ack("", "", order, price)

    # ---------------------------------------------------------------- from outside

    def foreign(self, now_ns: int, market: str, lots: int, kind: str = "trade", price_micro: int | None = None) -> None:
        """Somebody or something else moves the account: a manual trade, a liquidation, ADL."""
        self.advance(now_ns)
        m = self._index[market]
        price = price_micro or int(self.tape.reference[self.row, m]) or int(self.tape.mark[self.row, m])
        fee = int(fee_of(lots, price, self.terms.fee_e8)) if kind == "trade" else 0
        self._outside(market, lots, price, fee, self.now_ns, kind)

    def _outside(self, market: str, lots: int, price: int, fee: int, at_ns: int, kind: str) -> None:
        number, before = FIRST_ORDER + len(self.orders), self.lots[market]
        order = Placed(number, market, lots, price, False, "ioc", at_ns, before, None, kind, lots, "filled")
        self.orders[number] = order
        order.changed_ns = at_ns
        self.account.move(market, lots, price)
        self.account.book(order, lots, price, fee, at_ns, kind)

    # ---------------------------------------------------------------- books

    def publish(self) -> None:
        """Price what has filled so far in this cycle, for good."""
        for number, lots, price, fee in self._cycle.publish():
            self.account.book(self.orders[number], lots, price, fee, self.orders[number].at_ns)

    def fills(self, now_ns: int, since_ns: int = 0) -> Sequence[Filled]:
        """Fills stamped from then on, oldest first; asking settles what they cost."""
        self.advance(now_ns)
        self.publish()
        return self.account.fills_since(since_ns, self.tape.interval_ns)

    def fundings(self, now_ns: int, since_ns: int = 0) -> Sequence[Paid]:
        """Funding settled from then on, oldest first."""
        self.advance(now_ns)
        return [each for each in self.account.paid if each.at_ns >= since_ns]

    def cash_micro(self) -> int:
        """Cash, with what has filled in this cycle at the price it has as things stand."""
        waiting = sum(int(cash_of(lots, price, fee)) for _, lots, price, fee in self._cycle.waiting())
        return self.account.cash_micro + waiting

    def equity_micro(self) -> int:
        """Cash and all positions at their marks."""
        return self.cash_micro() + sum(lots * self.mark_micro(name) for name, lots in self.lots.items() if lots)

    def mark_micro(self, market: str) -> int:
        """The last price with trading; 0 where there was none."""
        return int(self.tape.mark[self.row, self._index[market]])

    def margin_micro(self) -> int:
        """Initial margin of what is held."""
        return self._margin_needed({})

    def mids(self, now_ns: int) -> dict[str, Quote]:
        """The middle of the book of every market that trades now."""
        self.advance(now_ns)
        return self.tape.mids(self.row, self.now_ns)

    def marks(self, at_ns: int) -> dict[str, Quote]:
        """Close of the last bar with trading that ended at or before this instant."""
        return self.tape.marks(min(self.tape.row(at_ns), self.row))

    def listed(self) -> tuple[Listed, ...]:
        """Every market as it is listed now."""
        return tuple(self._listing(name) for name in self.names)

    def _listing(self, name: str) -> Listed:
        if name in self.listing:
            return self.listing[name]
        dead = bool(self.tape.dead[self.row, self._index[name]])
        leverage = self.terms.max_leverage.get(name, 20)
        return Listed(name, name, self.instruments[name].lot_size, self.terms.funding_interval_ns, leverage, dead)

    def _margin_needed(self, instead: Mapping[str, int]) -> int:
        held = {**self.lots, **instead}
        return sum(-(-abs(lots) * self.mark_micro(name) // self.leverage[name]) for name, lots in held.items() if lots)
