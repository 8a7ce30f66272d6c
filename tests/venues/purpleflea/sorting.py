"""What the adapter makes of each captured exchange with Purple Flea, in one word."""

import json
from typing import Any

from podshop.nouns import VenueError
from podshop.nouns.venue import Order
from podshop.venues.hyperliquid.info import Asset
from podshop.venues.purpleflea import parse
from podshop.venues.purpleflea.dialects import NEVER, SERVER
from podshop.venues.sending import posted
from podshop.venues.wire import Answer, NoAnswer

DECIMALS = {"BTC": 5, "ETH": 4, "SOL": 2}
CALLS = {
    ("POST", SERVER.open_path): "open",
    ("POST", SERVER.close_path): "close",
    ("GET", SERVER.positions_path): "positions",
    ("GET", SERVER.account_path): "account",
}


async def sorted_out(exchange: dict[str, Any]) -> str:
    """open or close: `accepted OID`, `refused CODE` or `unknown CODE`; a read: `read N` or `unread`; else `never`."""
    request, response = exchange["request"], exchange["response"]
    call = CALLS.get((request["method"], request["path"]))
    if call is None:
        return "lies" if any(word in request["path"] for word in NEVER) else "never"
    body = json.dumps(response["body"]).encode() if "body" in response else response.get("text", "").encode()
    answer = Answer(response.get("status", 0), body)
    if call in ("positions", "account"):
        return _read(call, answer)
    asked = request.get("body") or {}

    async def reply() -> Answer:
        if "client_timeout_s" in response:
            raise NoAnswer("no answer to POST: ReadTimeout", sent=True)
        return answer

    name = asked.get("coin", asked.get("symbol", "BTC"))
    asset = Asset(0, name, name, DECIMALS.get(name, 0), 50, False)
    order = Order("0" * 32, name, -1 if asked.get("side") == "short" else 1, 1, 1, False, False, 1)
    position = asked.get("position_id", "")
    found = await posted(
        reply(),
        lambda a: parse.opened(a, order, asset, SERVER) if call == "open" else parse.closed(a, position, SERVER),
    )
    return f"{found.outcome} {found.order_id or found.code}"


def _read(call: str, answer: Answer) -> str:
    try:
        if answer.status != 200:
            raise VenueError(f"HTTP {answer.status}")
        if call == "account":
            return f"read {parse.account(answer.json(call)).max_position_usd}"
        return f"read {len(parse.positions(answer.json(call)))}"
    except VenueError:
        return "unread"
