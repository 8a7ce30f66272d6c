"""The suite notices: each protection of an adapter is taken away, and the case that needs it fails."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from podshop.nouns.venue import Order, Reply
from podshop.venues.ccxt_venue import client as ccxt_client
from podshop.venues.hyperliquid import client as hyper_client
from podshop.venues.hyperliquid import info
from podshop.venues.hyperliquid.client import Hyperliquid
from podshop.venues.purpleflea import parse as flea_parse
from podshop.venues.sending import refused
from tests.venues.acceptance.cases import CASES
from tests.venues.acceptance.worlds import world
from tests.venues.parsers import trusting_account

Patch = Callable[[pytest.MonkeyPatch], None]


def believes_400(patch: pytest.MonkeyPatch) -> None:
    """Takes any 400 for a no."""
    patch.setattr(flea_parse, "refusal", lambda status, said: refused(f"HTTP_{status}"))


def believes_any_error(patch: pytest.MonkeyPatch) -> None:
    """Takes whatever ccxt raises for a no."""
    patch.setattr(ccxt_client, "failed", lambda error: refused(type(error).__name__))


def sends_again(patch: pytest.MonkeyPatch) -> None:
    """Sends once more when the outcome is unknown."""
    once = Hyperliquid.send

    async def twice(self: Hyperliquid, order: Order) -> Reply:
        first = await once(self, order)
        again = order._replace(intent=order.intent[::-1])
        return await once(self, again) if first.outcome == "unknown" else first

    patch.setattr(Hyperliquid, "send", twice)


def reads_only_the_list(patch: pytest.MonkeyPatch) -> None:
    """Reads positions with `float(x or 0)` and never looks at the envelope."""

    def trusting(answer: Any, assets: info.Universe) -> info.State:
        import json

        at_ns, equity, cash, lots = trusting_account(json.dumps(answer).encode())
        return info.State(at_ns, equity, cash, lots)

    patch.setattr(info, "state", trusting)


def signs_no_expiry(patch: pytest.MonkeyPatch) -> None:
    """Leaves the expiry out of what is signed."""
    act = Hyperliquid._act
    patch.setattr(Hyperliquid, "_act", lambda self, action, expires_ms=None: act(self, action, None))


def drops_reduce_only(patch: pytest.MonkeyPatch) -> None:
    """Forgets the flag."""
    build = hyper_client.order_wire
    patch.setattr(hyper_client, "order_wire", lambda order, asset: build(order, asset) | {"r": False})


def counts_pages_twice(patch: pytest.MonkeyPatch) -> None:
    """Adds up rows without looking at their ids."""
    from podshop.venues.hyperliquid import account

    patch.setattr(account, "one_each", lambda rows, key, since_ns: rows)


MUTANTS = [
    ("purpleflea", "A22", believes_400),
    ("binanceusdm", "A22", believes_any_error),
    ("hyperliquid", "A20", sends_again),
    ("hyperliquid", "A26", reads_only_the_list),
    ("purpleflea", "A26", reads_only_the_list),
    ("hyperliquid", "A15", signs_no_expiry),
    ("hyperliquid", "A16", drops_reduce_only),
    ("hyperliquid", "A29", counts_pages_twice),
]


@pytest.mark.parametrize(("name", "number", "mutant"), MUTANTS, ids=[f"{m.__name__}-{n}" for _, n, m in MUTANTS])
def test_a_mutant_fails_its_case(name: str, number: str, mutant: Patch, monkeypatch: pytest.MonkeyPatch) -> None:
    case = next(c for c in CASES if c.number == number)
    mutant(monkeypatch)

    async def run() -> None:
        made = await world(name)
        try:
            await case.act(made)
        finally:
            await made.close()

    with pytest.raises(AssertionError):
        asyncio.run(run())
