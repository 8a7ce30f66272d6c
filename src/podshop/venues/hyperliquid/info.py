"""Hyperliquid's answers, read strictly: every function takes decoded JSON and gives our nouns, or raises VenueError.

Fields that money does not depend on are not looked at, so that a venue may add some. Prices, sizes and rates come as
texts, times as whole milliseconds. Sizes must be whole lots: 10^-szDecimals of the venue's coin, and the venue's kPEPE
is a thousand PEPE, so our lot may be a thousand coins larger than theirs looks. What each field means:
shared/venues/hyperliquid-ccxt.md, checked on the recordings of the official SDK (MIT, Hyperliquid Labs).
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from podshop.nouns import HOUR_NS
from podshop.nouns.errors import VenueError
from podshop.nouns.symbols import BASES, locate
from podshop.nouns.venue import Filled, Found, Listed, Paid, Quote, Status
from podshop.venues import strict

THOUSANDS = {name: base for base in BASES for name, coins in [locate(base, "hyperliquid_perp")] if coins == 1000}
OPEN = frozenset({"open", "triggered"})
FINAL = frozenset({"filled", "canceled", "rejected", "scheduledCancel"})
CENTS = Decimal("0.05")
NEAR = Decimal("0.0001")  # how far the parts of an account's envelope may be from their sum, as a share
INTERVALS = {60: "1m", 180: "3m", 300: "5m", 900: "15m", 1800: "30m", 3600: "1h", 7200: "2h", 14400: "4h", 28800: "8h"}
INTERVALS |= {43200: "12h", 86400: "1d"}


class Asset(NamedTuple):
    """A market as `meta` lists it: its number in the universe, the venue's name, ours, decimals of a size."""

    number: int
    name: str
    market: str
    decimals: int
    max_leverage: int
    delisted: bool

    @property
    def unit(self) -> Decimal:
        """Size of one lot in the venue's coins."""
        return Decimal(1).scaleb(-self.decimals)

    def lots(self, size: Any, what: str) -> int:
        """A size, signed or not, in lots."""
        return strict.exact(strict.decimal(size, what), self.unit, what)

    def price_micro(self, price: Any, what: str) -> int:
        """A price above 0, micro-dollars per lot."""
        return max(1, strict.micro(strict.positive(price, what) * self.unit, what))

    def listed(self) -> Listed:
        """The market in our words."""
        coins = 1000 if self.name in THOUSANDS else 1
        lot_size = coins / 10**self.decimals
        return Listed(self.market, self.name, lot_size, HOUR_NS, self.max_leverage, self.delisted)


class Universe(NamedTuple):
    """All assets of a dex, by the venue's name and by ours."""

    by_name: Mapping[str, Asset]
    by_market: Mapping[str, Asset]

    def named(self, name: Any, what: str) -> Asset:
        """The asset that the venue calls so."""
        found = self.by_name.get(strict.text(name, what))
        if found is None:
            raise VenueError(f"{what}: {strict.shown(name)} is not in the venue's list")
        return found


def universe(answer: Any) -> Universe:
    """`meta`: the asset's number is its place in the list, delisted ones included."""
    assets = []
    for index, row in enumerate(strict.rows(strict.field(answer, "universe", "meta"), "meta.universe")):
        what = f"meta.universe[{index}]"
        name = strict.text(strict.field(row, "name", what), what)
        delisted = strict.truth(row.get("isDelisted", False), what)
        decimals = strict.whole(strict.field(row, "szDecimals", what), what, 0, 8)
        leverage = strict.whole(strict.field(row, "maxLeverage", what), what, 1, 1000)
        assets.append(Asset(index, name, market_of(name), decimals, leverage, delisted))
    found = Universe({a.name: a for a in assets}, {a.market: a for a in assets})
    if not assets or len(found.by_name) != len(assets) or len(found.by_market) != len(assets):
        raise VenueError("meta: no market, or two of one name")
    return found


def market_of(name: str) -> str:
    """Our name of the venue's. A coin that we know by the thousand, listed by the piece, is not the one we mean.

    >>> market_of("kPEPE"), market_of("BTC"), market_of("PEPE")
    ('PEPE', 'BTC', 'hyperliquid:PEPE')
    """
    if name in THOUSANDS:
        return THOUSANDS[name]
    return f"hyperliquid:{name}" if f"k{name}" in THOUSANDS else name


def mids(answer: Any, assets: Iterable[Asset]) -> dict[str, int]:
    """`allMids`: market -> micro-dollars per lot; those without a mid are missing."""
    found = strict.record(answer, "allMids")
    return {a.market: a.price_micro(found[a.name], f"allMids.{a.name}") for a in assets if a.name in found}


def last_close(answer: Any, asset: Asset, interval_ns: int, at_ns: int) -> Quote | None:
    """`candleSnapshot`: close of the last bar with trading that ended at or before an instant; None = none there."""
    best: Quote | None = None
    for index, row in enumerate(strict.rows(answer, "candleSnapshot")):
        what = f"candleSnapshot[{index}]"
        opened = strict.millis(strict.field(row, "t", what), what)
        closed = strict.millis(strict.field(row, "T", what), what) + strict.MS_NS  # T is the last millisecond inside
        if strict.field(row, "s", what) != asset.name or closed - opened != interval_ns:
            raise VenueError(f"{what}: not a bar of {asset.name} of {interval_ns} ns")
        prices = [strict.positive(strict.field(row, name, what), what) for name in "lohc"]
        volume = strict.decimal(strict.field(row, "v", what), what)
        if min(prices) < prices[0] or max(prices) > prices[2] or volume < 0:
            raise VenueError(f"{what}: low, open, high, close and volume are impossible")
        if volume > 0 and closed <= at_ns and (best is None or closed >= best.at_ns):
            close = Quote(asset.price_micro(row["c"], what), closed)
            if best is not None and best.at_ns == closed and best != close:
                raise VenueError(f"{what}: two bars of one time")
            best = close
    return best


class State(NamedTuple):
    """`clearinghouseState`: the venue's clock, account value, cash without positions, lots of every market held."""

    at_ns: int
    equity_micro: int
    cash_micro: int
    lots: dict[str, int]


def state(answer: Any, assets: Universe) -> State:
    """The account, with its envelope: the positions' values must add up to what the summary says.

    A list of positions that the summary contradicts is a half answer; an empty one proves nothing by itself.
    """
    what = "clearinghouseState"
    summary = strict.field(answer, "marginSummary", what)
    equity, held, cash = (
        strict.decimal(strict.field(summary, name, what), f"{what}.{name}")
        for name in ("accountValue", "totalNtlPos", "totalRawUsd")
    )
    lots: dict[str, int] = {}
    value = signed = Decimal(0)
    for row in strict.rows(strict.field(answer, "assetPositions", what), what):
        position = strict.field(row, "position", what)
        asset = assets.named(strict.field(position, "coin", what), f"{what}.coin")
        size = asset.lots(strict.field(position, "szi", what), f"{what}.szi")
        worth = strict.decimal(strict.field(position, "positionValue", what), f"{what}.positionValue")
        if asset.market in lots or strict.field(row, "type", what) != "oneWay" or worth < 0:
            raise VenueError(f"{what}: {asset.name} stands twice, is hedged or is worth less than nothing")
        lots[asset.market] = size
        value += worth
        signed += worth if size > 0 else -worth
    slack = CENTS + NEAR * max(abs(held), value)
    if abs(held - value) > slack or abs(equity - cash - signed) > slack:
        raise VenueError(f"{what}: positions worth {value} do not make the account's {held} and its value {equity}")
    at_ns = strict.millis(strict.field(answer, "time", what), f"{what}.time")
    kept = {market: size for market, size in lots.items() if size}
    return State(at_ns, strict.micro(equity, what), strict.micro(cash, what), kept)


class Told(NamedTuple):
    """What `orderStatus` tells: of which order, and how far it is."""

    found: Found
    cloid: str | None
    market: str | None


def order_status(answer: Any, assets: Universe) -> Told:
    """`orderStatus`; a status word we do not know is no answer."""
    what = "orderStatus"
    kind = strict.field(answer, "status", what)
    if kind == "unknownOid":
        return Told(Found("unknown_id"), None, None)
    if kind != "order":
        raise VenueError(f"{what}: found status {strict.shown(kind)}, expected order or unknownOid")
    outer = strict.field(answer, "order", what)
    order = strict.field(outer, "order", what)
    asset = assets.named(strict.field(order, "coin", what), f"{what}.coin")
    side = signed_side(strict.field(order, "side", what), what)
    asked = asset.lots(strict.field(order, "origSz", what), f"{what}.origSz")
    left = asset.lots(strict.field(order, "sz", what), f"{what}.sz")
    oid = str(strict.whole(strict.field(order, "oid", what), f"{what}.oid"))
    cloid = order.get("cloid")
    word = strict.text(strict.field(outer, "status", what), what)
    if not 0 <= left <= asked:
        raise VenueError(f"{what}: {left} left of {asked}")
    contradicts = word == "filled" and left > 0
    found = Found(status_of(word), oid, None if contradicts else side * (asked - left))
    return Told(found, None if cloid is None else strict.text(cloid, f"{what}.cloid"), asset.market)


def status_of(word: str) -> Status:
    """The venue's word in ours.

    >>> status_of("marginCanceled"), status_of("open"), status_of("somethingNew")
    ('final', 'open', 'no_answer')
    """
    if word in OPEN:
        return "open"
    return "final" if word in FINAL or word.endswith(("Canceled", "Rejected")) else "no_answer"


def signed_side(value: Any, what: str) -> int:
    """B is a buy, A (ask) a sale."""
    if value not in ("A", "B"):
        raise VenueError(f"{what}: found side {strict.shown(value)}, expected A or B")
    return 1 if value == "B" else -1


def elsewhere(coin: str) -> bool:
    """Whether a row is of the spot market or of another dex, whose money and positions stand in other accounts."""
    return coin.startswith(("@", "#")) or "/" in coin or ":" in coin


def fills(answer: Any, assets: Universe, user: str) -> list[Filled]:
    """`userFillsByTime`. `fee` holds the builder's share already; what it costs is rounded up."""
    found = []
    for index, row in enumerate(strict.rows(answer, "userFills")):
        what = f"userFills[{index}]"
        coin = strict.text(strict.field(row, "coin", what), what)
        if elsewhere(coin):
            continue
        asset = assets.named(coin, what)
        lots = asset.lots(strict.field(row, "sz", what), f"{what}.sz")
        if lots <= 0 or row.get("feeToken", "USDC") != "USDC":
            raise VenueError(f"{what}: a fill of {lots} lots, fee in {strict.shown(row.get('feeToken'))}")
        cloid = row.get("cloid")
        found.append(
            Filled(
                fill_id=str(strict.whole(strict.field(row, "tid", what), f"{what}.tid")),
                order_id=str(strict.whole(strict.field(row, "oid", what), f"{what}.oid")),
                client_id=None if cloid is None else bare(strict.text(cloid, what)),
                market=asset.market,
                lots=lots * signed_side(strict.field(row, "side", what), what),
                price_micro=asset.price_micro(strict.field(row, "px", what), f"{what}.px"),
                fee_micro=strict.micro(strict.decimal(strict.field(row, "fee", what), f"{what}.fee"), what, up=True),
                at_ns=strict.millis(strict.field(row, "time", what), f"{what}.time"),
                kind=_kind(row, user, what),
            )
        )
    return found


def _kind(row: Mapping[str, Any], user: str, what: str) -> str:
    """Why it was filled. A liquidation that names somebody else is our trade against it."""
    kind = {"Auto-Deleveraging": "adl", "Settlement": "settlement"}.get(str(row.get("dir", "")), "trade")
    liquidation = row.get("liquidation")
    if kind != "trade" or liquidation is None:
        return kind
    whose = strict.field(liquidation, "liquidatedUser", what)
    ours = whose is None or strict.text(whose, what).lower() == user.lower()
    return "liquidation" if ours else "trade"


def bare(cloid: str) -> str:
    """A client id as we write it: without 0x."""
    return cloid.removeprefix("0x")


def fundings(answer: Any, assets: Universe) -> list[Paid]:
    """`userFunding`: `usdc` is the cash flow to the user. The hash is the same for all, so coin and time are the id."""
    found = []
    for index, row in enumerate(strict.rows(answer, "userFunding")):
        what = f"userFunding[{index}]"
        delta = strict.field(row, "delta", what)
        coin = strict.text(strict.field(delta, "coin", what), what)
        if elsewhere(coin):
            continue
        asset = assets.named(coin, what)
        if strict.field(delta, "type", what) != "funding":
            raise VenueError(f"{what}: found type {strict.shown(delta['type'])}, expected funding")
        at_ns = strict.millis(strict.field(row, "time", what), f"{what}.time")
        size = strict.decimal(strict.field(delta, "szi", what), f"{what}.szi") / asset.unit  # a mean of samples once
        found.append(
            Paid(
                paid_id=f"{coin}:{at_ns // strict.MS_NS}",
                market=asset.market,
                cash_micro=strict.micro(strict.decimal(strict.field(delta, "usdc", what), f"{what}.usdc"), what),
                rate=float(strict.decimal(strict.field(delta, "fundingRate", what), f"{what}.fundingRate")),
                lots=strict.nearest(size, what),
                at_ns=at_ns,
            )
        )
    return found


class Resting(NamedTuple):
    """An order that stands at the venue: signed lots left of it."""

    order_id: str
    client_id: str | None
    market: str
    lots: int


def open_orders(answer: Any, assets: Universe) -> list[Resting]:
    """`openOrders` or `frontendOpenOrders`."""
    found = []
    for index, row in enumerate(strict.rows(answer, "openOrders")):
        what = f"openOrders[{index}]"
        asset = assets.named(strict.field(row, "coin", what), what)
        left = asset.lots(strict.field(row, "sz", what), f"{what}.sz")
        oid = str(strict.whole(strict.field(row, "oid", what), f"{what}.oid"))
        cloid = row.get("cloid")
        side = signed_side(strict.field(row, "side", what), what)
        client = None if cloid is None else bare(strict.text(cloid, what))
        if left < 0:
            raise VenueError(f"{what}: {left} lots left")
        found.append(Resting(oid, client, asset.market, side * left))
    return found


def rate_limit(answer: Any) -> tuple[int, int]:
    """`userRateLimit`: requests used, and how many the address may make."""
    what = "userRateLimit"
    used = strict.whole(strict.field(answer, "nRequestsUsed", what), what)
    return used, strict.whole(strict.field(answer, "nRequestsCap", what), what)


def book_time(answer: Any) -> int:
    """`l2Book`: the venue's clock, UTC ns."""
    return strict.millis(strict.field(answer, "time", "l2Book"), "l2Book.time")
