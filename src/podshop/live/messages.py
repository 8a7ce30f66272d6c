"""What brain and gateway say to each other, one message each way a cycle, over one Unix socket.

The gateway opens a cycle and says where the books stand; the brain answers with what every book wishes to hold, and
with the limits it would have. Frames are msgpack with a length before it (`live.frames`); all is checked on arrival,
since the brain is not trusted: what is not finite, not of its shape or not of this cycle is refused whole.
"""

import msgspec

VERSION = 1


class Hello(msgspec.Struct, frozen=True, array_like=True):
    """First frame of the brain: both sides must be of one build, and of one fund file."""

    version: int
    package_sha256: str
    fund_sha256: str


class Opened(msgspec.Struct, frozen=True, array_like=True):
    """The gateway's first word of a cycle: the books at t_k, after funding, before transfers.

    lots, cash_micro  [market][book], [book]; books in the order of the fund file, then the house
    capital_micro     [book] allotted at the last 00:00
    mark_micro        [market] the gateway's own, 0 = unknown; age_bars [market]
    throttle          [book]; fund_throttle, state in force
    lines             [market] whether the market's coin is IDLE, so that an increase may be sent
    """

    cycle: int
    at_ns: int
    lots: tuple[tuple[int, ...], ...]
    cash_micro: tuple[int, ...]
    capital_micro: tuple[int, ...]
    nav_micro: int
    peak_micro: int
    mark_micro: tuple[int, ...]
    age_bars: tuple[int, ...]
    throttle: tuple[float, ...]
    fund_throttle: float
    state: int
    lines: tuple[bool, ...]


class Office(msgspec.Struct, frozen=True, array_like=True):
    """Limits as the brain's risk office ruled; the gateway takes the tighter of these and its own. Fractions of NAV."""

    version: int
    max_weight: tuple[float, ...]
    max_gross: float
    max_net: float
    max_order: float
    max_var: float
    tail: float
    clusters: tuple[tuple[int, ...], ...]
    caps: tuple[float, ...]
    throttle: tuple[float, ...]
    fund_throttle: float
    state: int


class Targets(msgspec.Struct, frozen=True, array_like=True):
    """The brain's one answer to an `Opened`.

    wished      [market][book] lots each book wishes to hold; raw [market][book] lots after this cycle (a TWAP's slice)
    weights     [book] shares of capital, only in a cycle whose treasury was due, else empty
    covariance  [market][market] of daily returns, rows in a row
    sigma_day, depth_lots  [market] as the cost model sees them (NaN = unknown); most_lots [market] one order may take
    history_ns  [market] since its first trade; frozen_bars [market]
    convictions_sha256, inputs_sha256  of what was said, and of the frozen snapshot it was said on
    notes       (book, market, code, wanted, allowed, measured, bound) of the cost gate and of book limits
    """

    cycle: int
    wished: tuple[tuple[int, ...], ...]
    raw: tuple[tuple[int, ...], ...]
    weights: tuple[float, ...]
    office: Office
    covariance: tuple[float, ...]
    sigma_day: tuple[float, ...]
    depth_lots: tuple[float, ...]
    most_lots: tuple[int, ...]
    history_ns: tuple[int, ...]
    frozen_bars: tuple[int, ...]
    convictions_sha256: str
    inputs_sha256: str
    shadow_equity_micro: tuple[int, ...]
    notes: tuple[tuple[int, int, int, int, int, float, float], ...] = ()
