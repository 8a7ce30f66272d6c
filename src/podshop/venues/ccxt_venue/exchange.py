"""A ccxt exchange whose every call goes through our guarded wire, and whose JSON is read strictly.

ccxt's own client follows redirects, takes any host, and lets an HTML page in a 200 pass as no answer; so its `fetch` is
replaced. Numbers stay texts from the venue to our parsers (`number = str`). ccxt: MIT licence, Igor Kroitor.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import httpx2

from podshop.nouns.errors import ConfigError, VenueError
from podshop.venues import strict
from podshop.venues.wire import LOOPBACK, Secret, Wire

HOSTS = {  # exchange -> (its hosts, those of its sandbox)
    "binanceusdm": (("fapi.binance.com",), ("demo-fapi.binance.com",)),
    "bybit": (("api.bybit.com",), ("api-testnet.bybit.com",)),
    "okx": (("www.okx.com",), ("www.okx.com",)),
    "hyperliquid": (("api.hyperliquid.xyz",), ("api.hyperliquid-testnet.xyz",)),
}
LOOPBACK_PATHS = {"fapiPublic": "/fapi/v1", "fapiPrivate": "/fapi/v1", "fapiData": "/futures/data"} | {
    f"fapi{who}V{n}": f"/fapi/v{n}" for who in ("Public", "Private") for n in (2, 3)
}


def connect(
    name: str,
    keys: Mapping[str, Secret] | None = None,
    *,
    sandbox: bool = False,
    base_url: str | None = None,
    read_s: float = 30.0,
    transport: httpx2.AsyncBaseTransport | None = None,
) -> Any:
    """A ccxt exchange of this name.

    keys      apiKey, secret, and password where the venue wants one; None = public data only
    sandbox   the venue's own test system
    base_url  instead of the venue: an address on this machine
    """
    import ccxt.async_support as ccxt

    if name not in HOSTS:
        raise ConfigError(f"venue {name!r} is not known here, expected one of {', '.join(HOSTS)}")
    if name == "hyperliquid" and keys:
        raise ConfigError("hyperliquid with keys is not traded through ccxt, which signs actions nobody asked for")
    hosts = HOSTS[name][1 if sandbox else 0]
    address = base_url or f"https://{hosts[0]}"
    wire = Wire(address, more_hosts=hosts, secrets=(keys or {}).values(), read_s=read_s, transport=transport)
    if base_url is not None and wire.base.host not in LOOPBACK:
        raise ConfigError(f"{name}: base_url is {wire.base.host}, expected this machine or none")

    class Guarded(getattr(ccxt, name)):  # type: ignore[misc]
        """The exchange, with our fetch."""

        async def fetch(self, url: str, method: str = "GET", headers: Any = None, body: Any = None) -> Any:
            sent = {k: v for k, v in self.prepare_request_headers(headers).items() if k.lower() != "accept-encoding"}
            content = body.encode() if isinstance(body, str) else body
            answer = await wire.ask(method, url, content=content, headers=sent)
            text = answer.body.decode("utf-8", "replace")
            found = None
            if text[:1] in "{[" and text:
                found = as_text(strict.loads(answer.body, f"{name} {method}"))
            self.handle_errors(answer.status, answer.reason, url, method, {}, text, found, sent, body)
            self.handle_http_status_code(answer.status, answer.reason, url, method, "")
            if answer.status != 200 or found is None:
                raise VenueError(f"{name} {method}: HTTP {answer.status} with a body that is no JSON object or list")
            return found

        async def close(self) -> None:
            await super().close()
            await wire.close()

        def __repr__(self) -> str:
            return f"<{name}>"

    options = {"enableRateLimit": True, "timeout": int(read_s * 1000), "number": str, "aiohttp_trust_env": False}
    found = Guarded(options | {field: key.reveal() for field, key in (keys or {}).items()})
    found.number = str
    found.has["fetchCurrencies"] = False  # asks other hosts, and says nothing of perpetuals
    found.options |= {"defaultType": "swap", "fetchMarkets": _fetched(name, found.options)}
    if sandbox and name == "binanceusdm":
        found.enable_demo_trading(True)  # ccxt refuses the old test network of Binance's futures
    elif sandbox:
        found.set_sandbox_mode(True)
    if base_url is not None:
        _move(found, str(wire.base).rstrip("/"))
    found.simulated, found.wire = sandbox or wire.loopback, wire
    return found


def as_text(value: Any) -> Any:
    """Strict JSON as ccxt wants it: numbers with a point as the text they were."""
    if isinstance(value, Decimal):
        return format(value, "f") if -40 < value.adjusted() < 40 else str(value)
    if isinstance(value, dict):
        return {name: as_text(v) for name, v in value.items()}
    return [as_text(v) for v in value] if isinstance(value, list) else value


def _fetched(name: str, options: Mapping[str, Any]) -> Any:
    """Which lists of markets are asked for: perpetuals only."""
    only = {"binanceusdm": ["linear"], "bybit": ["linear"], "okx": ["swap"], "hyperliquid": ["swap"]}[name]
    return {"types": only} if name != "binanceusdm" else (options.get("fetchMarkets") or {"types": only})


def _move(found: Any, base: str) -> None:
    """Send every call to one machine; the path parts stay."""
    found.urls["api"] = {
        key: base + LOOPBACK_PATHS.get(key, "") if isinstance(url, str) else url
        for key, url in found.urls["api"].items()
    }
