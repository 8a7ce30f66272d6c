"""Load or compile all that a gateway's cycle runs in machine code, before its first: that takes seconds once."""

import numpy as np

from podshop.ledger.facts import Fill
from podshop.ledger.live import Netted
from podshop.live.gateway.limits import put, ruled
from podshop.live.gateway.sharing import late_shares, shares_of
from podshop.live.gateway.terms import Terms
from podshop.live.gateway.waves import Look, Waves
from podshop.live.messages import Office, Targets
from podshop.nouns import DAY_NS
from podshop.nouns.limits import NORMAL_95
from podshop.risk.bound import value_at_risk


def warm(terms: Terms) -> None:
    """Run one made-up cycle of this fund's size, which touches nothing."""
    markets, books = len(terms.markets), len(terms.books)
    office = Office(
        version=0, max_weight=(1.0,) * markets, max_gross=1.0, max_net=1.0, max_order=1.0, max_var=1.0,
        tail=NORMAL_95, clusters=(), caps=(), throttle=(1.0,) * books, fund_throttle=1.0, state=0,
    )  # fmt: skip
    raw = tuple(tuple(10 if b == 0 else -3 for b in range(books)) for _ in range(markets))
    targets = Targets(
        cycle=0, wished=raw, raw=raw, weights=(), office=office, covariance=tuple(np.eye(markets).ravel().tolist()),
        sigma_day=(1.0,) * markets, depth_lots=(1.0,) * markets, most_lots=(100,) * markets,
        history_ns=(400 * DAY_NS,) * markets, frozen_bars=(0,) * markets, convictions_sha256="", inputs_sha256="",
        shadow_equity_micro=(),
    )  # fmt: skip
    waves = Waves(terms)
    waves.mark[:] = 1_000_000
    put(ruled(office, terms.hard, 0, 0, 10**12), waves.fund.limits)
    unknown, none = np.zeros(markets, np.bool_), np.zeros(markets, np.int64)
    waves.begin(DAY_NS, targets, (0,) * markets, none, (1_000_000,) * markets, np.eye(markets), 10**12, 0)
    look = Look(none, none, none, unknown)
    waves.net()
    waves.reduce(look)
    waves.increase(look, unknown, unknown)
    held = np.zeros(markets)
    value_at_risk(waves.covariances[0], held, NORMAL_95, np.zeros(markets))
    wants = tuple((book, 10 - 3 * b) for b, book in enumerate(terms.books))
    market = terms.markets[0]
    fill = Fill("", "", market, 1, 1_000_000, 100)
    shares_of(Netted(0, market, 0, 1_000_000, wants[:1]), [fill], terms)
    late_shares([fill], [*wants[:1], ("house", 3), (terms.books[-1], 2)], 1_000_000, 0, terms)
