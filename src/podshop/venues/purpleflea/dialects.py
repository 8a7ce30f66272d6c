"""A dialect of Purple Flea is data: where its calls are, what carries the key, what the fields are called.

The public pages show at least seven. Only `server` is backed by published code (purple-flea/agent-trading, MIT).
`article` is the call of the article that this fund grew from: it opens and can neither close nor show positions, so it
serves only to build and send orders in paper, against the simulated exchange. Any other is a table in the gateway's
configuration with these fields.
"""

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from typing import Any, Literal

from podshop.nouns.errors import ConfigError


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """How to speak to one deployment.

    header, prefix   carry the key: `Authorization: Bearer KEY`, or `X-API-Key: KEY`
    open_path        POST; the others None where the dialect lacks them: close POST, positions GET, account GET
    coin_field       the name of the market field: coin, symbol or market; size_field of the notional in USD
    symbols          how markets are named: BTC, BTC-PERP or BTC-USD
    order_field      field of the answer that holds Hyperliquid's order number
    """

    name: str
    base_url: str
    header: str
    prefix: str
    open_path: str
    close_path: str | None = None
    positions_path: str | None = None
    account_path: str | None = None
    coin_field: str = "coin"
    size_field: str = "size_usd"
    symbols: Literal["bare", "-PERP", "-USD"] = "bare"
    order_field: str = "hl_order_id"

    def __post_init__(self) -> None:
        for path in (self.open_path, self.close_path, self.positions_path, self.account_path):
            if path is not None and not path.startswith("/"):
                raise ConfigError(f"dialect {self.name}: path {path!r} must begin with /")
            if path is not None and any(word in path for word in NEVER):
                raise ConfigError(f"dialect {self.name}: {path!r} is a call that is known to lie, and never made")
        if self.symbols not in SYMBOLS:
            raise ConfigError(f"dialect {self.name}: symbols is {self.symbols!r}, expected one of {', '.join(SYMBOLS)}")

    @property
    def whole(self) -> bool:
        """Whether it can close and show positions: without both nothing can be reconciled."""
        return self.close_path is not None and self.positions_path is not None

    def symbol(self, name: str) -> str:
        """What it calls a market of Hyperliquid.

        >>> SERVER.symbol("BTC")
        'BTC'
        """
        return name if self.symbols == "bare" else f"{name}{self.symbols}"

    def headers(self, key: str) -> dict[str, str]:
        """The header with the key."""
        return {self.header: f"{self.prefix}{key}"}


SYMBOLS = ("bare", "-PERP", "-USD")

# close-all trades nothing; check-* books closes that never happened; the rest of the pages show invented numbers.
NEVER = (
    *("close-all", "check-limits", "check-exits", "/limit", "stop-loss", "take-profit"),
    *("funding-rates", "movers", "heatmap", "correlations", "/signals", "/arb", "gauge", "scenarios", "/backtest"),
    *("portfolio", "risk-check", "pnl-history", "drawdown", "daily-report", "stats-by-coin", "status=all", "/history"),
)

SERVER = Dialect(
    name="server",
    base_url="https://trading.purpleflea.com",
    header="Authorization",
    prefix="Bearer ",
    open_path="/v1/trade/open",
    close_path="/v1/trade/close",
    positions_path="/v1/trade/positions",
    account_path="/v1/auth/account",
)
ARTICLE = Dialect(
    name="article",
    base_url="https://purpleflea.com",
    header="X-API-Key",
    prefix="",
    open_path="/api/trade",
    coin_field="symbol",
)
DIALECTS = {d.name: d for d in (SERVER, ARTICLE)}


def dialect(named: str | Mapping[str, Any]) -> Dialect:
    """A dialect by name, or from a table of its fields."""
    if isinstance(named, str):
        if named not in DIALECTS:
            raise ConfigError(f"dialect {named!r} is not known, expected {' or '.join(DIALECTS)}, or a table")
        return DIALECTS[named]
    known = {f.name: f for f in fields(Dialect)}
    for name in named:
        if name not in known:
            raise ConfigError(f"dialect: no field {name!r}, expected some of {', '.join(known)}")
    for name, found in known.items():
        if name not in named and found.default is MISSING:
            raise ConfigError(f"dialect: the field {name!r} is missing")
        if name in named and not isinstance(named[name], str):
            raise ConfigError(f"dialect: the field {name!r} is not a text")
    return Dialect(**named)
