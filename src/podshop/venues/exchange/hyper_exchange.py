"""Hyperliquid's `exchange`: signed actions. The official SDK's own code recovers the signer, where it is installed.

The first signer that is seen is believed to be the account's (nobody has to configure a loopback exchange); every other
has to be approved. Without the SDK no signature can be checked, and /sim/clock says so.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from podshop.nouns import DAY_NS, SECOND_NS
from podshop.venues.exchange.loopback import Loopback
from podshop.venues.exchange.placed import Placed, Tif
from podshop.venues.exchange.twin import Sent, Wish
from podshop.venues.exchange.units import Unit, decimal_of, text

NONCES_KEPT = 100
SCHEDULE_AHEAD_NS, SCHEDULES_A_DAY = 5 * SECOND_NS, 10
TIFS: dict[str, Tif] = {"Ioc": "ioc", "Gtc": "gtc", "Alo": "alo"}
MISSING = "Order was never placed, already canceled, or filled."
CLOID_DIGITS = 32


class Refused(Exception):
    """The whole request is turned away: {"status": "err", "response": text}, with HTTP 200."""


class HyperExchange:
    """What signed requests do.

    signers  addresses that may trade, lower case;  None = the first to come
    actions  action type -> how often it was taken
    """

    def __init__(self, loopback: Loopback, signers: frozenset[str] | None = None) -> None:
        self._loopback = loopback
        self._learns = signers is None
        self.signers = set(signers or ())
        self.actions: dict[str, int] = {}
        self._nonces: dict[str, list[int]] = {}
        self._scheduled: list[int] = []

    def approve(self, signer: str) -> None:
        """Let another key trade, as an account's owner approves an API wallet."""
        self.signers.add(signer.lower())

    async def act(self, body: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
        """Do what a request asks. -> answer, and what befalls it on its way back."""
        try:
            action, nonce = body["action"], body["nonce"]
            kind = action["type"]
            self._check(body, str(kind), action, nonce)
            self.actions[kind] = self.actions.get(kind, 0) + 1
            if kind == "order":
                expires_ms = body.get("expiresAfter")
                return await self._orders(action["orders"], None if expires_ms is None else int(expires_ms) * 1_000_000)
            return self._other(kind, action), ""
        except Refused as e:
            return {"status": "err", "response": str(e)}, ""

    def _check(self, body: Mapping[str, Any], kind: str, action: Mapping[str, Any], nonce: object) -> None:
        """Who signed it, whether he may, and whether this very nonce was used; then its expiry."""
        if not isinstance(nonce, int):
            raise Refused("Invalid nonce")
        if kind not in ("approveBuilderFee", "setReferrer"):  # signed in another way, and harmless here
            signer = self._signer(body, action, nonce)
            if signer not in self.signers:
                raise Refused(f"User or API Wallet {signer} does not exist.")
            used = self._nonces.setdefault(signer, [])
            if nonce in used or (len(used) == NONCES_KEPT and nonce < used[0]):
                raise Refused(f"Invalid nonce: {nonce} was used, or is too low")
            self._nonces[signer] = sorted([*used, nonce])[-NONCES_KEPT:]
        expires_ms = body.get("expiresAfter")
        if expires_ms is not None and self._loopback.now_ns() // 1_000_000 >= int(expires_ms):
            raise Refused("Request expired: it came after expiresAfter")

    def _signer(self, body: Mapping[str, Any], action: Mapping[str, Any], nonce: int) -> str:
        """The address whose key signed this action; of two networks the one that makes it a signer we know."""
        recover = recovery()
        if recover is None:
            self.signers.add("unchecked")
            return "unchecked"
        found = []
        for is_mainnet in (False, True):
            try:
                vault, expires = body.get("vaultAddress"), body.get("expiresAfter")
                address = recover(action, body["signature"], vault, nonce, expires, is_mainnet)
            except Exception as e:  # noqa: BLE001 - whatever the SDK makes of rubbish, it is no signature
                raise Refused(f"Invalid signature: {type(e).__name__}") from None
            found.append(str(address).lower())
        if self._learns and not self.signers:
            self.signers.add(found[0])
        return found[1] if found[1] in self.signers else found[0]

    async def _orders(self, orders: list[Mapping[str, Any]], expires_ns: int | None) -> tuple[dict[str, Any], str]:
        statuses: list[Any] = []
        fault = ""
        for wire in orders:
            wish, wrong = self._wish(wire)
            if wish is None:
                statuses.append({"error": f"{wrong} asset={wire.get('a')}"})
                continue
            sent = await self._loopback.deliver(replace(wish, expires_ns=expires_ns))
            fault = fault or sent.fault
            statuses.append(self._status(sent, wire))
        return {"status": "ok", "response": {"type": "order", "data": {"statuses": statuses}}}, fault

    def _wish(self, wire: Mapping[str, Any]) -> tuple[Wish | None, str]:
        """An order of the wire, in whole numbers; or why it is none."""
        unit = self._unit(wire["a"])
        price, size = decimal_of(wire["p"]), decimal_of(wire["s"])
        if unit is None or price is None or size is None or price <= 0:
            return None, "Order has an unknown asset, or a price or size that cannot be read."
        lots, micro = unit.lots(size), unit.micro(price)
        if lots is None or lots <= 0:
            return None, "Order has invalid size."
        if micro is None:
            return None, "Price must be divisible by tick size."
        tif = TIFS.get(str(wire["t"].get("limit", {}).get("tif")))
        if tif is None:
            return None, "Invalid TP/SL price."  # trigger orders: none here
        cloid = wire.get("c")
        if cloid is not None and not _is_cloid(cloid):
            return None, "Invalid client order id."
        lots = lots if wire["b"] else -lots
        client_id = str(cloid)[2:].lower() if cloid else None
        return Wish(unit.name, lots, micro, bool(wire["r"]), tif=tif, client_id=client_id, tag=client_id or ""), ""

    def _status(self, sent: Sent, wire: Mapping[str, Any]) -> dict[str, Any]:
        """One entry of the answer."""
        if sent.fault == "unrounded":
            return {"error": f"Price must be divisible by tick size. asset={wire['a']}"}
        if sent.ack is None:
            return {"error": "Internal error"}  # nobody will read it: the answer is lost, or a 429
        code, words, order, price_micro = sent.ack
        if code or order is None:
            return {"error": f"{self._filled_in(words, sent.wish.market)} asset={wire['a']}"}
        cloid = {"cloid": wire["c"]} if wire.get("c") else {}
        if order.filled == 0:
            return {"resting": {"oid": order.number} | cloid}
        lots = sent.wish.lots if sent.fault == "partial_close" else order.filled
        unit = self._loopback.units[order.market]
        size, price = text(abs(unit.size(lots))), text(unit.price(price_micro))
        return {"filled": {"totalSz": size, "avgPx": price, "oid": order.number} | cloid}

    def _filled_in(self, words: str, market: str) -> str:
        """A refusal that quotes the book, with its figures."""
        unit, row = self._loopback.units[market], self._loopback.truth.row
        reference = int(self._loopback.truth.tape.reference[row, self._loopback.truth.names.index(market)])
        gap = max(round(reference * self._loopback.truth.terms.half_spread), 1)
        return words.format(bid=text(unit.price(reference - gap)), ask=text(unit.price(reference + gap)))

    def _other(self, kind: str, action: Mapping[str, Any]) -> dict[str, Any]:
        if kind in ("cancel", "cancelByCloid"):
            statuses = [self._cancel(each) for each in action["cancels"]]
            return {"status": "ok", "response": {"type": "cancel", "data": {"statuses": statuses}}}
        if kind == "updateLeverage":
            self._leverage(action)
        elif kind == "scheduleCancel":
            self._schedule(action.get("time"))
        elif kind not in ("approveBuilderFee", "setReferrer"):
            raise Refused(f"The loopback exchange knows no action {kind!r}")
        return {"status": "ok", "response": {"type": "default"}}

    def _cancel(self, wire: Mapping[str, Any]) -> Any:
        truth = self._loopback.truth
        order: Placed | None
        if "cloid" in wire:
            order = truth.find(None, str(wire["cloid"]).removeprefix("0x").lower())
        else:
            order = truth.find(str(wire["o"]))
        if order is not None and truth.cancel(self._loopback.now_ns(), order.number):
            return "success"
        return {"error": f"{MISSING} asset={wire.get('a', wire.get('asset'))}"}

    def _leverage(self, action: Mapping[str, Any]) -> None:
        unit = self._unit(action["asset"])
        asked = int(action["leverage"])
        given = max(asked // 2, 1) if self._loopback.evil.fires("leverage_cap") else asked
        if unit is None or not self._loopback.truth.set_leverage(unit.name, given):
            raise Refused("Invalid leverage value")

    def _schedule(self, time_ms: object) -> None:
        """Cancel all that rests at a time to come; without a time the switch is taken back."""
        now_ns = self._loopback.now_ns()
        if time_ms is None:
            self._loopback.cancel_all_ns = None
            return
        at_ns = int(str(time_ms)) * 1_000_000
        self._scheduled = [each for each in self._scheduled if each // DAY_NS == now_ns // DAY_NS]
        if at_ns < now_ns + SCHEDULE_AHEAD_NS:
            raise Refused("Scheduled cancel time too early, must be at least 5 seconds from now.")
        if len(self._scheduled) >= SCHEDULES_A_DAY:
            raise Refused("Too many scheduled cancels today.")
        self._scheduled.append(now_ns)
        self._loopback.cancel_all_ns = at_ns

    def _unit(self, asset: object) -> Unit | None:
        units = list(self._loopback.units.values())
        return units[asset] if isinstance(asset, int) and 0 <= asset < len(units) else None


def recovery() -> Any:
    """The SDK's function that tells a signer from his signature; None where the SDK is not installed."""
    try:
        from hyperliquid.utils.signing import recover_agent_or_user_from_l1_action
    except ImportError:
        return None
    return recover_agent_or_user_from_l1_action


def _is_cloid(value: object) -> bool:
    digits = str(value).removeprefix("0x")
    return str(value).startswith("0x") and len(digits) == CLOID_DIGITS and set(digits) <= set("0123456789abcdefABCDEF")
