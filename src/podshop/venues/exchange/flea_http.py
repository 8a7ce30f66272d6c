"""Purple Flea's server over HTTP: paths, keys, limits per minute, and the `_info` that every object carries."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from aiohttp import web

from podshop.venues.exchange import flea_more as more
from podshop.venues.exchange import flea_orders as orders
from podshop.venues.exchange.flea import Flea
from podshop.venues.exchange.flea_positions import positions
from podshop.venues.exchange.flea_rows import Agent
from podshop.venues.exchange.flea_text import INFO, RATE_LIMITED, Answer, error, iso
from podshop.venues.exchange.loopback import Window, body_of

OPEN, CLOSE = "/v1/trade/open", "/v1/trade/close"
MOST_A_MINUTE = {OPEN: 30, CLOSE: 30, "/v1/auth/register": 10}
INVALID_JSON = error(400, "invalid_json", "Request body must be valid JSON")
Act = Callable[[Agent, Mapping[str, Any]], Awaitable[tuple[Answer, str]]]
Say = Callable[[Agent, web.Request, Mapping[str, Any]], Answer]
Tell = Callable[[web.Request], Answer]


class FleaRoutes:
    """The server's paths.

    article  also answer POST /api/trade, as an article describes it: X-API-Key, symbol instead of coin
    """

    def __init__(self, flea: Flea, *, article: bool = False) -> None:
        self.flea, self._article = flea, article
        self._windows = {path: Window(most) for path, most in MOST_A_MINUTE.items()}

    def routes(self) -> list[web.RouteDef]:
        """All paths under /v1, /health and /ping; whatever else is asked for is 404."""
        flea = self.flea
        found = [
            web.get("/ping", self._ping),
            web.get("/health", self._plain(lambda request: (200, self._health()))),
            web.post("/v1/auth/register", self._register),
            web.get("/v1/auth/account", self._said(lambda agent, *_: (200, agent.account()))),
            web.get("/v1/auth/deposit-address", self._said(lambda agent, *_: more.deposit_address(agent))),
            web.get("/v1/markets", self._plain(lambda request: more.markets(flea))),
            web.get("/v1/markets/screener", self._plain(lambda request: more.screener(flea, request.query))),
            web.get("/v1/markets/multi-price", self._plain(lambda r: more.multi_price(flea, r.query.get("coins", "")))),
            web.get("/v1/markets/{coin}", self._plain(lambda r: more.market(flea, r.match_info["coin"]))),
            web.get("/v1/markets/{coin}/price", self._plain(lambda r: more.price(flea, r.match_info["coin"]))),
            web.get(
                "/v1/markets/{coin}/orderbook",
                self._plain(lambda r: more.orderbook(flea, r.match_info["coin"], r.query.get("depth", ""))),
            ),
            web.post(OPEN, self._acted(flea.open)),
            web.post(CLOSE, self._acted(flea.close)),
            web.post("/v1/trade/close-all", self._acted(self._close_all)),
            web.get(
                "/v1/trade/positions", self._said(lambda agent, r, _: positions(flea, agent, r.query.get("status")))
            ),
            web.get(
                "/v1/trade/history", self._said(lambda agent, r, _: orders.history(agent, r.query.get("limit", "")))
            ),
            web.get("/v1/trade/risk-settings", self._said(lambda agent, *_: orders.risk_settings(flea, agent))),
            web.post("/v1/trade/risk-settings", self._said(lambda agent, _, body: orders.set_risk(agent, body))),
            web.post("/v1/trade/limit", self._said(lambda agent, _, body: orders.limit_order(flea, agent, body))),
            web.get("/v1/trade/limit-orders", self._said(lambda agent, *_: orders.limit_orders(agent))),
            web.delete(
                "/v1/trade/limit-orders/{id}",
                self._said(lambda agent, r, _: orders.cancel_limit(agent, r.match_info["id"])),
            ),
            web.post("/v1/trade/stop-loss", self._said(lambda a, _, b: orders.exit_order(flea, a, "stop_loss", b))),
            web.post("/v1/trade/take-profit", self._said(lambda a, _, b: orders.exit_order(flea, a, "take_profit", b))),
            web.get("/v1/order-monitor", self._plain(lambda request: (200, self._monitor()))),
        ]
        if self._article:
            found.append(web.post("/api/trade", self._acted(self._article_trade)))
        return [*found, web.route("*", "/{tail:.*}", self._plain(_absent))]

    # ---------------------------------------------------------------- kinds of handlers

    def _plain(self, tell: Tell) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        """No key needed."""

        async def handle(request: web.Request) -> web.StreamResponse:
            return await self._read(request, lambda: tell(request))

        return handle

    def _said(self, say: Say) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        """A key is needed, nothing is sent to the venue."""

        async def handle(request: web.Request) -> web.StreamResponse:
            agent = self._agent(request)
            if isinstance(agent, tuple):
                return await self._out(request, agent)
            body = await body_of(request) if request.method == "POST" else {}
            if not isinstance(body, dict):
                return await self._out(request, INVALID_JSON)
            return await self._read(request, lambda: say(agent, request, body))

        return handle

    def _acted(self, act: Act) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        """A key is needed, and the venue may hear of it. The limit counts calls before anything else."""

        async def handle(request: web.Request) -> web.StreamResponse:
            if self._over(request):
                return await self._out(request, RATE_LIMITED)
            agent = self._agent(request)
            if isinstance(agent, tuple):
                return await self._out(request, agent)
            body = await body_of(request)
            if not isinstance(body, dict):
                return await self._out(request, INVALID_JSON)
            answer, fault = await act(agent, body)
            return await self._out(request, answer, fault)

        return handle

    async def _read(self, request: web.Request, tell: Callable[[], Answer]) -> web.StreamResponse:
        """An answer, unless something befalls the question."""
        loopback = self.flea.loopback
        fault = loopback.evil.read_fault(loopback.now_ns())
        answer = RATE_LIMITED if fault == "read_busy" else tell()
        return await self._out(request, answer, "" if fault == "read_busy" else fault)

    async def _out(self, request: web.Request, answer: Answer, fault: str = "") -> web.StreamResponse:
        status, body = answer
        return await self.flea.loopback.answer(request, body | {"_info": INFO}, status, fault)

    # ---------------------------------------------------------------- who asks, and how often

    def _agent(self, request: web.Request) -> Agent | Answer:
        """Whose key it is; or why not."""
        if self._article and request.path == "/api/trade":
            key: str | None = request.headers.get("X-API-Key")
        else:
            given = request.headers.get("Authorization", "")
            key = given.removeprefix("Bearer ") if given.startswith("Bearer ") else None
        if not key:
            return error(401, "unauthorized", "Provide Authorization: Bearer <api_key>")
        return self.flea.agents.get(key) or error(401, "invalid_key")

    def _over(self, request: web.Request) -> bool:
        """Thirty a minute by path and caller; a proxy's word for who calls is believed, as the server believes it."""
        window, loopback = self._windows.get(request.path), self.flea.loopback
        caller = request.headers.get("X-Forwarded-For") or request.remote or ""
        return window is not None and window.full(caller, loopback.clock.now_ns())

    # ---------------------------------------------------------------- the odd ones

    async def _ping(self, request: web.Request) -> web.StreamResponse:
        return web.Response(text="pong")

    async def _register(self, request: web.Request) -> web.StreamResponse:
        if self._over(request):
            limit = error(429, "rate_limited", "Too many requests. Limit: 10 per 60s")
            return await self._out(request, limit)
        return await self._out(request, more.register(self.flea, await body_of(request)))

    async def _close_all(self, agent: Agent, body: Mapping[str, Any]) -> tuple[Answer, str]:
        return await self.flea.close_all(agent), ""

    async def _article_trade(self, agent: Agent, body: Mapping[str, Any]) -> tuple[Answer, str]:
        return await self.flea.open(agent, dict(body) | {"coin": body.get("symbol")})

    def _health(self) -> dict[str, Any]:
        """It never looks at the venue: ok during an outage."""
        flea = self.flea
        monitor = {"running": True, "total_checks": 0, "limits_filled": 0, "exits_filled": 0}
        return {
            "status": "ok",
            "service": "agent-trading",
            "version": "3.0.0",
            "execution": "real",
            "uptime_seconds": 0,
            "database": "ok",
            "registered_agents": len(flea.agents),
            "order_monitor": monitor,
            "timestamp": iso(flea.loopback.now_ns() / 1e9),
        }

    def _monitor(self) -> dict[str, Any]:
        pending = sum(len(agent.limits) + len(agent.exits) for agent in self.flea.agents.values())
        return {
            "running": True,
            "interval_seconds": 30,
            "total_checks": 0,
            "limits_filled": 0,
            "exits_filled": 0,
            "errors": 0,
            "pending_orders": pending,
            "last_check": iso(self.flea.loopback.now_ns() / 1e9),
            "description": "The loopback exchange looks at no pending order.",
        }


def _absent(request: web.Request) -> Answer:
    text = f"{request.method} {request.path} not found"
    return error(404, "not_found", text, docs="/v1/docs", openapi="/openapi.json")
