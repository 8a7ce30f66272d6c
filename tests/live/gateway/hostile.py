"""A brain that wants to ruin the fund: what it sends, and whether any of it got through."""

from collections import Counter
from typing import Any

import msgspec
import numpy as np

from podshop.live.frames import canonical, decoded
from podshop.live.gateway.terms import Hard
from podshop.live.messages import Office, Opened, Targets
from podshop.nouns import DAY_NS, DataError, LedgerError
from tests.live.gateway.world import World

HARD = Hard(
    max_weight=0.10, max_gross=0.25, max_net=0.2, max_var=0.01, max_order=0.08, turnover=1e6, daily_loss=1e6,
    variance_floor=0.0, orders_a_minute=1 << 30,
)  # fmt: skip
NOISE = 1.0 + 1e-9
ATTACKS = ("zeros", "infinities", "enemy figures", "replay", "edited", "forged intent", "greed")


class Enemy:
    """One message after another. `seen` counts attacks, and what of them was refused."""

    def __init__(self, world: World, seed: int) -> None:
        self.world, self.draw = world, np.random.default_rng(seed)
        self.seen: Counter[str] = Counter()
        self.old: list[Targets] = []
        self.kind = ""

    def __call__(self, opened: Opened) -> Targets:
        self.kind = str(self.draw.choice(ATTACKS))
        self.seen[self.kind] += 1
        attack = getattr(self, "_" + self.kind.replace(" ", "_"))
        found: Targets = attack(opened)
        return found

    def _wild(self, opened: Opened, **changes: Any) -> Targets:
        """Far more than is allowed, in every book."""
        shape = self.world.target.shape
        lots = self.draw.choice([-1, 1], shape) * self.draw.integers(1, 1 << int(self.draw.integers(4, 31)), shape)
        return self.world.targets(opened, lots, **({"office": self._office(), "weights": ()} | changes))

    def _office(self) -> Office:
        markets, books = self.world.target.shape
        big = float(self.draw.choice([1.0, 1e3, 1e9]))
        return Office(
            version=int(self.draw.integers(0, 9)), max_weight=(big,) * markets, max_gross=big, max_net=big,
            max_order=big, max_var=big, tail=float(self.draw.choice([0.0, 1e-9, 1.0])), clusters=(), caps=(),
            throttle=(1.0,) * books, fund_throttle=1.0, state=0,
        )  # fmt: skip

    def _greed(self, opened: Opened) -> Targets:
        good = self._wild(opened)
        self.old.append(good)
        return good

    def _zeros(self, opened: Opened) -> Targets:
        markets = self.world.target.shape[0]
        nothing = (0.0,) * markets
        return self._wild(
            opened, covariance=(0.0,) * markets * markets, sigma_day=nothing, depth_lots=nothing,
            most_lots=(1 << 40,) * markets, history_ns=(int(self.draw.choice([0, 400 * DAY_NS])),) * markets,
        )  # fmt: skip

    def _infinities(self, opened: Opened) -> Targets:
        bad = float(self.draw.choice([np.inf, -np.inf, np.nan]))
        good = self._wild(opened)
        where = str(self.draw.choice(["covariance", "sigma_day", "depth_lots", "max_weight", "max_gross", "tail"]))
        if hasattr(good.office, where):
            old = getattr(good.office, where)
            new = (bad, *old[1:]) if isinstance(old, tuple) else bad
            return msgspec.structs.replace(good, office=msgspec.structs.replace(good.office, **{where: new}))
        return msgspec.structs.replace(good, **{where: (bad, *getattr(good, where)[1:])})

    def _enemy_figures(self, opened: Opened) -> Targets:
        """Risk that is none, depth without end, history for ever."""
        markets = self.world.target.shape[0]
        tiny = float(self.draw.choice([1e-300, 1e-30, 1e-12]))
        hedged = np.full((markets, markets), -tiny)
        np.fill_diagonal(hedged, tiny)
        covariance = hedged if self.draw.random() < 0.5 else np.eye(markets) * tiny
        return self._wild(
            opened, covariance=tuple(covariance.ravel().tolist()), depth_lots=(1e300,) * markets,
            most_lots=(1 << 60,) * markets, history_ns=(1 << 61,) * markets, frozen_bars=(-(1 << 61),) * markets,
            weights=tuple(self.draw.choice([0.0, 1.0, -1.0, 0.2, 1e9], self.world.target.shape[1]).tolist()),
        )  # fmt: skip

    def _replay(self, opened: Opened) -> Targets:
        return self.old[int(self.draw.integers(len(self.old)))] if self.old else self._greed(opened)

    def _edited(self, opened: Opened) -> Targets:
        """Bytes of a true frame with some of them changed: no message at all, or another one."""
        body = bytearray(canonical(self._wild(opened))[0])
        for at in self.draw.integers(0, len(body), int(self.draw.integers(1, 20))):
            body[at] = int(self.draw.integers(0, 256))
        try:
            return decoded(bytes(body), Targets)
        except DataError:
            self.seen["no message"] += 1
            return self._greed(opened)

    def _forged_intent(self, opened: Opened) -> Targets:
        """Somebody who could reach the sender asks it to send what no journal approves, or what was sent already."""
        gateway = self.world.gateway
        assert gateway is not None
        sent = [intent for report in self.world.reports for intent in report.intents]
        forged = ["f" * 32, "", *sent[-3:], f"{gateway.asking.prefix}{'0' * 28}"]
        for intent in forged:
            try:
                gateway.desk.approved(intent)
            except LedgerError:
                self.seen["forged intents refused"] += 1
            else:
                self.seen["forged intents sent"] += 1
        return self._greed(opened)


def breaches(world: World, before: dict[str, int], hard: Hard) -> list[str]:
    """Hard limits that what was bought or sold in this cycle has broken, at the marks it was decided at."""
    assert world.keeper is not None
    opened = world.opened[-1]
    nav = opened.nav_micro
    found, gross, net, grew = [], 0.0, 0.0, False
    for name, mark in zip(world.names, opened.mark_micro, strict=True):
        lots = world.exchange.lots[name]
        gross += abs(lots) * mark
        net += lots * mark
        grows = abs(lots) > abs(before[name]) or lots * before[name] < 0
        grew = grew or grows
        if grows and abs(lots) * mark > hard.max_weight * nav * NOISE:
            found.append(f"{name}: {abs(lots) * mark / nav:.3f} of NAV")
        if grows and abs(lots - before[name]) * mark > (hard.max_order + hard.max_weight) * nav * NOISE:
            found.append(f"{name}: an order of {abs(lots - before[name]) * mark / nav:.3f}")
    if grew and gross > hard.max_gross * nav * NOISE:
        found.append(f"gross {gross / nav:.3f}")
    if grew and abs(net) > hard.max_net * nav * NOISE:
        found.append(f"net {net / nav:.3f}")
    return found


def attacked(world: World, cycles: int, seed: int, hard: Hard = HARD) -> tuple[Counter[str], list[str]]:
    """So many messages of an enemy; what they were, and every breach."""
    enemy, found = Enemy(world, seed), []
    before = dict.fromkeys(world.names, 0)

    def check() -> None:
        report = world.reports[-1]
        enemy.seen["refused" if report.refused else "followed"] += 1
        found.extend(breaches(world, before, hard))
        before.update(world.exchange.lots)
        world.check()

    world.run(cycles, enemy, check)
    world.check_sent_once()
    enemy.seen["orders"] = len(world.exchange.orders)
    return enemy.seen, found
