"""Hyperliquid's `info`: which question gets which answer."""

from typing import Any

from podshop.venues.exchange import hyper_account, hyper_market
from podshop.venues.exchange.loopback import Loopback

OF_A_USER = frozenset(
    {"clearinghouseState", "openOrders", "frontendOpenOrders", "orderStatus", "historicalOrders", "userFills"}
    | {"userFillsByTime", "userFunding", "userRateLimit", "userFees"}
)


class Info:
    """Answers questions; remembers the rows of fills it has made."""

    def __init__(self, loopback: Loopback) -> None:
        self._loopback = loopback
        self._fills = hyper_account.FillRows()

    def answer(self, kind: str, body: dict[str, Any], now_ns: int, requests: int) -> Any:
        """What a question gets. Raises KeyError, TypeError or ValueError for one that cannot be read."""
        if body.get("dex"):
            return _other_dex(kind)
        if kind in OF_A_USER:
            return self._of_user(kind, body, now_ns, requests)
        loopback = self._loopback
        if kind == "meta":
            return hyper_market.meta(loopback)
        if kind == "metaAndAssetCtxs":
            return hyper_market.meta_and_contexts(loopback, now_ns)
        if kind == "allMids":
            return hyper_market.mids(loopback, now_ns)
        if kind == "l2Book":
            return hyper_market.book(loopback, loopback.by_venue_name[body["coin"]], now_ns)
        if kind == "candleSnapshot":
            return hyper_market.candles(loopback, loopback.by_venue_name[body["req"]["coin"]], body["req"], now_ns)
        if kind == "fundingHistory":
            return hyper_market.funding_history(loopback, loopback.by_venue_name[body["coin"]], body, now_ns)
        if kind == "exchangeStatus":
            return {"time": loopback.stamp_ms(), "specialStatuses": None}
        if kind == "perpDexs":
            return [None]
        if kind == "spotMeta":
            return {"universe": [], "tokens": []}
        if kind == "spotMetaAndAssetCtxs":
            return [{"universe": [], "tokens": []}, []]
        raise ValueError(kind)

    def _of_user(self, kind: str, body: dict[str, Any], now_ns: int, requests: int) -> Any:
        """What belongs to an address: all of it to the account's, nothing to any other."""
        loopback, own = self._loopback, str(body["user"]).lower() == self._loopback.wallet
        if kind == "clearinghouseState":
            return hyper_account.state(loopback, now_ns, own=own)
        if kind == "orderStatus":
            return hyper_account.order_status(loopback, body["oid"]) if own else {"status": "unknownOid"}
        if kind == "userRateLimit":
            traded = (
                sum(abs(fill.lots) * fill.price_micro for fill in loopback.truth.account.fills) // 10**6 if own else 0
            )
            return {"cumVlm": f"{traded}.0", "nRequestsUsed": requests, "nRequestsCap": 10_000 + traded}
        if kind == "userFees":
            terms = loopback.truth.terms
            return {
                "dailyUserVlm": [],
                "userCrossRate": f"{terms.fee_e8 / 1e8:.8f}".rstrip("0"),
                "userAddRate": f"{terms.maker_fee_e8 / 1e8:.8f}".rstrip("0"),
                "activeReferralDiscount": "0.0",
            }
        if not own:
            return []
        if kind in ("openOrders", "frontendOpenOrders"):
            return hyper_account.open_orders(loopback, detailed=kind == "frontendOpenOrders")
        if kind == "historicalOrders":
            return hyper_account.historical_orders(loopback)
        if kind == "userFunding":
            return hyper_account.funding(loopback, now_ns, body)
        return hyper_account.fills(loopback, self._fills, now_ns, None if kind == "userFills" else body)


def _other_dex(kind: str) -> Any:
    """There is one dex here: any other is empty."""
    if kind in ("allMids", "meta", "clearinghouseState"):
        return {}
    return []
