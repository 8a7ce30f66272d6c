"""The loopback exchange over HTTP: Purple Flea's server under /v1, Hyperliquid's /info and /exchange, and /sim.

It binds to 127.0.0.1 and to nothing else. Everything it says is simulated.
"""

import json
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from podshop.nouns import ConfigError, PodshopError
from podshop.venues.exchange.clock import ServedClock
from podshop.venues.exchange.flea import Flea
from podshop.venues.exchange.flea_http import FleaRoutes
from podshop.venues.exchange.hyper_exchange import HyperExchange, recovery
from podshop.venues.exchange.hyper_info import Info
from podshop.venues.exchange.loopback import WALLET, Loopback, Window, body_of
from podshop.venues.exchange.tape import ENDLESS
from podshop.venues.exchange.twin import Twin

UNREADABLE = "Failed to deserialize the JSON body into the target type"
WEIGHTS = {"l2Book": 2, "allMids": 2, "clearinghouseState": 2, "orderStatus": 2, "exchangeStatus": 2, "userRole": 60}
MOST_WEIGHT = 1200
KINDS = ("trade", "liquidation", "adl", "settlement")
HOSTS = ("127.0.0.1", "localhost")
WRONG = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)  # what rubbish raises where it is read
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Server:
    """All that the server answers.

    flea      Purple Flea's server; hyper  Hyperliquid's signed half
    """

    def __init__(self, loopback: Loopback, flea: FleaRoutes, hyper: HyperExchange) -> None:
        self.loopback, self.flea, self.hyper = loopback, flea, hyper
        self._weights = Window(MOST_WEIGHT)
        self._requests = 0
        self._info = Info(loopback)

    def application(self) -> web.Application:
        """Routes of both dialects and of the simulation itself."""
        app = web.Application(client_max_size=1 << 20, middlewares=[_from_this_host])
        app.add_routes(
            [
                web.get("/", self.label),
                web.post("/info", self.info),
                web.post("/exchange", self.exchange),
                web.get("/sim/clock", self.clock),
                web.get("/sim/evil", self.counts),
                web.post("/sim/evil", _checked(self.switch)),
                web.post("/sim/advance", _checked(self.advance)),
                web.post("/sim/foreign", _checked(self.foreign)),
                web.post("/sim/relist", _checked(self.relist)),
                web.post("/sim/approve", _checked(self.approve)),
                web.get("/sim/truth", self.truth),
                *self.flea.routes(),
            ]
        )
        return app

    async def label(self, request: web.Request) -> web.StreamResponse:
        """What this is."""
        return web.json_response({"what": "podshop's loopback exchange", "simulated": True})

    # ---------------------------------------------------------------- Hyperliquid

    async def info(self, request: web.Request) -> web.StreamResponse:
        """POST /info."""
        body = await body_of(request)
        kind = body.get("type") if isinstance(body, dict) else None
        if self._over(request, WEIGHTS.get(str(kind), 20)):
            return _too_many()
        now_ns = self.loopback.now_ns()
        fault = self.loopback.evil.read_fault(now_ns)
        if fault == "read_busy":
            return _too_many()
        try:
            found = self._info.answer(str(kind), body, now_ns, self._requests)
        except WRONG:
            return web.Response(text=UNREADABLE, status=422)
        return await self.loopback.answer(request, found, 200, fault)

    async def exchange(self, request: web.Request) -> web.StreamResponse:
        """POST /exchange."""
        body = await body_of(request)
        if self._over(request, 1):
            return _too_many()
        self._requests += 1
        try:
            found, fault = await self.hyper.act(body)
        except WRONG:
            return web.Response(text=UNREADABLE, status=422)
        if fault == "busy":
            return _too_many()
        if fault == "refused_after_fill":
            return web.json_response({"error": "Bad Request"}, status=400)
        return await self.loopback.answer(request, found, 200, fault)

    def _over(self, request: web.Request, weight: int) -> bool:
        """Whether a caller spent more than his weight this minute; a clock moved by hand knows no minutes."""
        if self.loopback.clock.manual:
            return False
        return self._weights.full(request.remote or "", self.loopback.clock.now_ns(), weight)

    # ---------------------------------------------------------------- the simulation itself

    async def clock(self, request: web.Request) -> web.StreamResponse:
        """GET /sim/clock."""
        loopback = self.loopback
        now_ns = loopback.now_ns()
        return web.json_response(
            {
                "at_ns": now_ns,
                "rate": loopback.clock.rate,
                "manual": loopback.clock.manual,
                "interval_ns": loopback.truth.tape.interval_ns,
                "ends_ns": int(loopback.truth.tape.time[-1]),
                "wallet": loopback.wallet,
                "signatures": "checked" if recovery() else "not checked: hyperliquid-python-sdk is not installed",
                "simulated": True,
            }
        )

    async def counts(self, request: web.Request) -> web.StreamResponse:
        """GET /sim/evil."""
        evil = self.loopback.evil
        faults = {name: when if isinstance(when, float) else sorted(when) for name, when in evil.faults.items()}
        return web.json_response({"faults": faults, "fired": evil.fired, "asked": evil.asked})

    async def switch(self, body: dict[str, Any]) -> dict[str, Any]:
        """POST /sim/evil: faults by name; beside them outages [[from_ns, until_ns]], late_ns [least, most], skew_ns."""
        evil = self.loopback.evil
        if "outages" in body:
            evil.outages = [(int(since), int(until)) for since, until in body.pop("outages")]
        if "late_ns" in body:
            least, most = body.pop("late_ns")
            evil.late_ns = int(least), int(most)
        if "skew_ns" in body:
            evil.skew_ns = int(body.pop("skew_ns"))
        evil.switch(body)
        return {"fired": evil.fired}

    async def advance(self, body: dict[str, Any]) -> dict[str, Any]:
        """POST /sim/advance: to_ns, or by_ns."""
        clock = self.loopback.clock
        to_ns = int(body["to_ns"]) if "to_ns" in body else clock.now_ns() + int(body["by_ns"])
        if to_ns >= 1 << 62:
            raise ValueError("to_ns lies beyond all time")
        clock.advance(to_ns)
        return {"at_ns": self.loopback.now_ns()}

    async def foreign(self, body: dict[str, Any]) -> dict[str, Any]:
        """POST /sim/foreign: somebody else moves the account: market, lots, kind, price_micro."""
        kind, price = str(body.get("kind", "trade")), body.get("price_micro")
        lots = int(body["lots"])
        if abs(lots) > ENDLESS or kind not in KINDS:
            raise ValueError(f"expected at most {ENDLESS} lots, and a kind of {', '.join(KINDS)}")
        self.loopback.truth.foreign(self.loopback.now_ns(), str(body["market"]), lots, kind, price and int(price))
        return {"lots": self.loopback.truth.lots}

    async def relist(self, body: dict[str, Any]) -> dict[str, Any]:
        """POST /sim/relist: a market as it is listed from now on: market, and lot_size, max_leverage or delisted."""
        truth = self.loopback.truth
        now = {each.market: each for each in truth.listed()}[str(body["market"])]
        truth.listing[now.market] = now._replace(**{name: body[name] for name in body if name != "market"})
        return truth.listing[now.market]._asdict()

    async def approve(self, body: dict[str, Any]) -> dict[str, Any]:
        """POST /sim/approve: let another signer trade."""
        self.hyper.approve(str(body["signer"]))
        return {"signers": sorted(self.hyper.signers)}

    async def truth(self, request: web.Request) -> web.StreamResponse:
        """GET /sim/truth: what the exchange would swear to. Asking does not settle what a cycle's fills cost."""
        loopback = self.loopback
        now_ns, truth = loopback.now_ns(), loopback.truth
        orders = [
            {"order_id": each.order_id, "client_id": each.client_id, "market": each.market, "asked": each.asked}
            | {"filled": each.filled, "status": each.status, "code": each.code, "at_ns": each.at_ns}
            for each in truth.orders.values()
        ]
        return web.json_response(
            {
                "at_ns": now_ns,
                "lots": truth.lots,
                "cash_micro": truth.cash_micro(),
                "equity_micro": truth.equity_micro(),
                "margin_micro": truth.margin_micro(),
                "orders": orders,
                "fills": [each._asdict() for each in truth.account.fills],
                "funding": [each._asdict() for each in truth.account.paid],
                "fired": loopback.evil.fired,
                "actions": self.hyper.actions,
            }
        )


@web.middleware
async def _from_this_host(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn away what a page in a browser might send: it names another host, or says where it comes from."""
    name = request.host.rsplit(":", 1)[0]
    if name not in HOSTS or "Origin" in request.headers:
        return web.Response(text="this exchange speaks to programs on this host only", status=403)
    return await handler(request)


def _checked(act: Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]) -> Handler:
    """A request of the simulation: what is wrong with it is said, with 400."""

    async def handle(request: web.Request) -> web.StreamResponse:
        try:
            body = json.loads(await request.text())
            return web.json_response(await act(dict(body)))
        except (PodshopError, *WRONG) as e:
            return web.json_response({"error": f"{type(e).__name__}: {e}"}, status=400)

    return handle


def _too_many() -> web.Response:
    return web.Response(text="null", status=429, content_type="application/json")


def server_of(
    twin: Twin,
    clock: ServedClock,
    *,
    wallet: str = WALLET,
    tier: str = "free",
    article: bool = False,
    signers: frozenset[str] | None = None,
    hold_s: float = 60.0,
) -> Server:
    """A server over a twin.

    tier     of the Purple Flea account that is there from the start: free, pro, whale
    article  also take POST /api/trade;  signers  who may sign; None = the first to come
    hold_s   as `Loopback`. Close-all lies unless that fault is switched off: the real one always does.
    """
    twin.evil.faults.setdefault("close_all", 1.0)
    loopback = Loopback(twin, clock, wallet=wallet, hold_s=hold_s)
    return Server(loopback, FleaRoutes(Flea(loopback, tier), article=article), HyperExchange(loopback, signers))


async def start(app: web.Application, host: str, port: int) -> tuple[web.AppRunner, str]:
    """Serve on this host alone. -> runner (its `cleanup()` ends it) and base URL; ConfigError for any other host."""
    if host not in HOSTS:
        raise ConfigError(
            f"the simulated exchange would listen on {host}, expected 127.0.0.1: it is for this host alone"
        )
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port)
    await site.start()
    bound = runner.addresses[0]
    return runner, f"http://127.0.0.1:{bound[1]}"
