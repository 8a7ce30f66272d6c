"""An edited gateway.toml is obeyed by a gateway that only starts again; what is loosened there waits for a command."""

import asyncio
from dataclasses import replace
from types import SimpleNamespace

import msgspec
import pytest

from podshop.live import config
from podshop.live.gateway import process
from podshop.live.gateway.terms import Hard, read_terms, tightened
from podshop.live.latch import HALTED_STATE, RUNNING, Latch

TIGHTER = {
    "max_weight": 0.001, "max_gross": 0.01, "max_net": 0.01, "max_var": 0.001, "max_order": 0.001, "collar_bps": 1.0,
    "turnover": 0.1, "daily_loss": 0.01, "variance_floor": 0.9, "orders_a_minute": 2,
}  # fmt: skip
LOOSER = {
    "max_weight": 1.0, "max_gross": 1.0, "max_net": 1.0, "max_var": 1.0, "max_order": 1.0, "collar_bps": 900.0,
    "turnover": 9.0, "daily_loss": 0.9, "variance_floor": 0.01, "orders_a_minute": 900,
}  # fmt: skip


class Started(Exception):
    """The gateway's process got as far as making its gateway."""


def started(gateway, monkeypatch, write):
    """The terms that a gateway's process obeys after gateway.toml was written anew, and the latch it left."""
    made = []

    class Venue:
        card = None

        async def close(self):
            """Nothing is open."""

    class Clock:
        def now_ns(self):
            return 10**18

    async def reach(found, key):
        return SimpleNamespace(clock=Clock(), venue=Venue(), rate=1.0)

    def make(terms, *args, **kwargs):
        made.append(terms)
        raise Started

    path = gateway.folder / config.GATEWAY_TOML
    path.write_text(write(path.read_text(encoding="utf-8")), encoding="utf-8")
    monkeypatch.setattr(process, "reach", reach)
    monkeypatch.setattr(process, "Gateway", make)
    with pytest.raises(Started):
        asyncio.run(process.run(gateway.folder, None))
    return made[0], Latch(gateway.folder).held()


def test_every_limit_that_was_tightened_counts(gateway):
    terms = read_terms(gateway.folder / "terms.json")
    found = tightened(terms, replace(gateway, limits=replace(gateway.limits, **TIGHTER))).hard
    for name in Hard.__struct_fields__:
        if name != "canary_micro":
            assert getattr(found, name) == (1e-4 if name == "collar" else TIGHTER[name]), name
    beats = replace(gateway.heartbeats, brain_reduce=1, brain_flatten=2)
    told = tightened(terms, replace(gateway, heartbeats=beats, canary_usd=50.0))
    assert (told.brain_reduce, told.brain_flatten, told.hard.canary_micro) == (1, 2, 50_000_000)
    assert tightened(told, gateway).hard.canary_micro == 50_000_000, "0 is no limit, so not the tighter one"


def test_what_was_loosened_waits_for_a_command(gateway):
    terms = read_terms(gateway.folder / "terms.json")
    assert tightened(terms, replace(gateway, limits=replace(gateway.limits, **LOOSER))) == terms
    assert tightened(terms, gateway) == terms


def test_a_gateway_that_starts_again_obeys_what_was_edited(gateway, monkeypatch):
    loss = f"daily_loss = {gateway.limits.daily_loss}"

    def write(text):
        assert text.count('state = "RUNNING"') == 1
        assert text.count(loss) == 1
        return text.replace('state = "RUNNING"', 'state = "HALTED"').replace(loss, "daily_loss = 0.01")

    terms, held = started(gateway, monkeypatch, write)
    assert terms.hard.daily_loss == 0.01
    assert (held.state, held.reason) == (HALTED_STATE, "gateway.toml: state")


def test_a_gateway_that_starts_again_lowers_nothing(gateway, monkeypatch):
    Latch(gateway.folder, "operator").raise_to(HALTED_STATE, 10**18, "odd")
    _, held = started(gateway, monkeypatch, lambda text: text)
    assert (held.state, held.reason) == (HALTED_STATE, "odd")


def test_without_the_two_looks_an_edit_is_not_obeyed(gateway, monkeypatch):
    """The mutant: what was written when the folder was made ready is all that counts."""
    monkeypatch.setattr(process, "tightened", lambda terms, found: terms)
    monkeypatch.setattr(process, "hold_least", lambda latch, found, now_ns: None)
    with pytest.raises(AssertionError):
        test_a_gateway_that_starts_again_obeys_what_was_edited(gateway, monkeypatch)
    assert Latch(gateway.folder).held().state == RUNNING


def test_only_a_simulated_venue_has_terms_of_a_replay(gateway):
    terms = read_terms(gateway.folder / "terms.json")
    history = msgspec.structs.replace(terms, hard=Hard(variance_floor=0.0, max_gross=9.0))
    assert tightened(history, gateway) == history
    real = tightened(history, replace(gateway, venue="hyperliquid")).hard
    assert (real.variance_floor, real.max_gross) == (gateway.limits.variance_floor, gateway.limits.max_gross)
