"""What can happen to the fund: every kind of fact, as a plain tuple with names.

A fact is past and never edited: a wrong one is corrected by another. Money is whole micro-dollars (1e-6 USD),
quantities are signed whole lots, instants UTC nanoseconds; what was not measured is None. Facts from outside carry the
venue's own id, so that the same history read twice is recorded once.
"""

from typing import NamedTuple, TypeAlias

from podshop.ledger.live import LiveFact

HOUSE = "house"


class Start(NamedTuple):
    """The first fact of a journal: whose it is.

    markets, lot_sizes  base assets, and how much of each one lot is
    source              what the facts come from, such as the SHA-256 of a backtest's result
    """

    fund: str
    interval_ns: int
    markets: tuple[str, ...]
    lot_sizes: tuple[float, ...]
    books: tuple[str, ...]
    source: str


class Signals(NamedTuple):
    """Which convictions a cycle's decisions were made on: SHA-256 over what every signal agent said."""

    cycle: int
    sha256: str


class Decision(NamedTuple):
    """What a book wishes to hold from now on, and the mark at which it decided."""

    book: str
    market: str
    wished_lots: int
    mark_micro: int


class Verdict(NamedTuple):
    """The gate's answer to one order, with the reason."""

    market: str
    book: str
    verdict: str
    code: str
    wanted_lots: int
    allowed_lots: int
    filled_lots: int
    resting_lots: int
    measured: float | None
    bound: float | None


class Intent(NamedTuple):
    """An order that may be sent once.

    lots        allowed by the gate; 0 is never written
    expires_ns  no longer to be sent from then on
    wants       (book, lots) it is for; empty where nobody kept them
    """

    intent: str
    market: str
    lots: int
    expires_ns: int
    wants: tuple[tuple[str, int], ...]


class Fill(NamedTuple):
    """What the venue filled, net for the fund. `intent` is empty where no order of ours explains it."""

    venue_id: str
    intent: str
    market: str
    lots: int
    price_micro: int
    fee_micro: int


class Share(NamedTuple):
    """One book's part of fills and crossings.

    price_micro, reference_micro  per lot: paid or received; the mid at execution
    kind                          venue | maker | settlement: part of a fill; cross | house: from another book
    """

    intent: str
    book: str
    market: str
    lots: int
    price_micro: int
    reference_micro: int
    fee_micro: int
    kind: str


class Funding(NamedTuple):
    """Funding the venue settled with the account; cash received > 0."""

    venue_id: str
    market: str
    cash_micro: int


class FundingShare(NamedTuple):
    """One book's part of a funding settlement, on the lots it held; cash received > 0."""

    book: str
    market: str
    lots: int
    mark_micro: int
    rate: float
    source: str
    cash_micro: int


class Fee(NamedTuple):
    """A charge of the venue beside fills, borne by a book; `fee_micro` > 0 is paid."""

    venue_id: str
    book: str
    fee_micro: int
    reason: str


class Deposit(NamedTuple):
    """Cash from outside to a book, withdrawn where negative."""

    venue_id: str
    book: str
    cash_micro: int


class Transfer(NamedTuple):
    """Cash moved between books: (book, received micro-dollars), which sum to zero."""

    moves: tuple[tuple[str, int], ...]
    reason: str


class Marks(NamedTuple):
    """What each market was worth at the close of a cycle: micro-dollars per lot, and its age in bars."""

    cycle: int
    markets: tuple[str, ...]
    mark_micro: tuple[int, ...]
    age_bars: tuple[int, ...]


class Nav(NamedTuple):
    """The fund's worth at the latest marks, from all facts before this one. Nothing is in transit then."""

    cycle: int
    nav_micro: int
    cash_micro: int
    var: float | None


class Capital(NamedTuple):
    """What a book holds after a midnight's transfers, at the latest marks; before them it was `equity_micro`."""

    book: str
    capital_micro: int
    equity_micro: int
    weight: float | None
    throttle: float
    shadow_equity_micro: int


class Staged(NamedTuple):
    """A person put a book into a stage.

    fingerprint  SHA-256 of the mandate and of what it hears, which is what was judged; empty where nobody knew
    by, reason   who signed, and why
    evidence     what the signer was shown, in words
    """

    book: str
    stage: str
    fingerprint: str
    by: str
    reason: str
    evidence: str


class Tried(NamedTuple):
    """Somebody looked at what a fund, or a part of it, would have earned: trials, for the ledger of trials.

    what     backtest, scorecard, allocation, costs or realistic
    family   name of the fund: versions of one fund are of one family
    data     SHA-256 of the market data looked at; simulated  whether those prices never were
    config   SHA-256 of the fund file with the code of agents of one's own, and of what else was varied
    trials   how many were looked at in one
    period   first and last day, for people
    """

    what: str
    family: str
    data: str
    simulated: bool
    config: str
    trials: int
    period: str


Fact: TypeAlias = (
    Start
    | Signals
    | Decision
    | Verdict
    | Intent
    | Fill
    | Share
    | Funding
    | FundingShare
    | Fee
    | Deposit
    | Transfer
    | Marks
    | Nav
    | Capital
    | Staged
    | Tried
    | LiveFact
)
