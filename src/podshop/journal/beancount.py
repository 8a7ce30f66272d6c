"""The books as plain-text accounting, in the syntax of beancount: a file that people and `bean-check` can read.

One transaction for each day and kind of fact, the day's marks as prices of one lot, and at the end what every account
must stand at, to the micro-dollar. Lots are a commodity of their own (BTC.LOT), whole numbers of them; cash is USD.
"""

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from podshop.journal.chain import Raw
from podshop.journal.facts import read
from podshop.ledger.facts import Marks, Start
from podshop.ledger.postings import USD, asset_of, postings
from podshop.nouns import DAY_NS

_TITLE = {
    "fill": "Trades", "share": "Trades", "funding": "Funding", "funding_share": "Funding", "fee": "Fees",
    "deposit": "Deposits", "transfer": "Capital",
}  # fmt: skip


def written_as_text(rows: Iterable[Raw]) -> Iterator[str]:
    """The lines of the file, in order of days; facts stamped out of order count for the day they were written in."""
    names, day = Names(), None
    moved: dict[str, dict[str, int]] = {}
    totals: dict[str, int] = {}
    marks: dict[str, int] = {}
    for _, at_ns, kind, v, body, _, _ in rows:
        fact = read(kind, v, body)
        if isinstance(fact, Start):
            yield f'option "title" "{fact.fund}"\noption "operating_currency" "USD"\n'
            continue
        today = at_ns // DAY_NS
        if day is not None and today > day:
            yield from _day(day, moved, marks, names)
            moved, marks = {}, {}
        day = today if day is None else max(day, today)
        if isinstance(fact, Marks):
            marks.update(zip(fact.markets, fact.mark_micro, strict=True))
        for account, units in postings(fact):
            of_kind = moved.setdefault(_TITLE[kind], {})
            of_kind[account] = of_kind.get(account, 0) + units
            totals[account] = totals.get(account, 0) + units
    if day is not None:
        yield from _day(day, moved, marks, names)
        yield "\n"
        for account, units in sorted(totals.items()):
            if names.is_open(account):
                asset = asset_of(account)
                yield f"{_date(day + 1)} balance {names.account(account)}  {_amount(units, asset, ' ~ 0', names)}\n"


class Names:
    """Accounts and commodities as beancount spells them: each ours becomes one of theirs, and no two the same."""

    def __init__(self) -> None:
        self._taken: dict[str, str] = {}
        self._spelled: dict[tuple[str, str], str] = {}
        self._open: set[str] = set()

    def account(self, account: str) -> str:
        """
        >>> Names().account("book:trend_month:lots:kPEPE")
        'Equity:Books:Trend-month:Lots:KPEPE'
        """
        kind, *rest = account.split(":")
        if kind == "venue":
            return ":".join(("Assets:Venue", *map(self._part, rest)))
        if kind == "transit":
            return ":".join(("Equity:Transit", *map(self._part, rest)))
        book, part, *market = rest
        above = {"fees": "Expenses:Fees", "funding": "Income:Funding"}.get(part)
        if above:
            return f"{above}:{self._part(book)}"
        return ":".join(("Equity:Books", self._part(book), self._part(part), *map(self._part, market)))

    def commodity(self, asset: str) -> str:
        """
        >>> Names().commodity("BTC"), Names().commodity("USD")
        ('BTC.LOT', 'USD')
        """
        if asset == USD:
            return USD
        spelled = re.sub(r"[^A-Z0-9]", "-", asset.upper())[:16]
        return self._only("commodity", asset, spelled if spelled[:1].isalpha() else f"X{spelled}") + ".LOT"

    def first_time(self, account: str) -> bool:
        """True once for each account."""
        before = len(self._open)
        self._open.add(account)
        return len(self._open) > before

    def is_open(self, account: str) -> bool:
        """True where it was asked for before."""
        return account in self._open

    def _part(self, name: str) -> str:
        spelled = re.sub(r"[^A-Za-z0-9]", "-", name)
        return self._only("part", name, spelled[:1].upper() + spelled[1:] if spelled[:1].isalnum() else f"X{spelled}")

    def _only(self, space: str, name: str, spelled: str) -> str:
        """The spelling, with a number behind it where another name has it already."""
        if (space, name) not in self._spelled:
            only, number = spelled, 2
            while f"{space} {only}" in self._taken:
                only, number = f"{spelled}{number}", number + 1
            self._taken[f"{space} {only}"] = name
            self._spelled[space, name] = only
        return self._spelled[space, name]


def _day(day: int, moved: dict[str, dict[str, int]], marks: dict[str, int], names: Names) -> Iterator[str]:
    date = _date(day)
    for title, sums in moved.items():
        posted = [(account, units) for account, units in sorted(sums.items()) if units]
        for account, _ in posted:
            if names.first_time(account):
                yield f"{date} open {names.account(account)} {names.commodity(asset_of(account))}\n"
        if posted:
            yield f'\n{date} * "{title}"\n'
            for account, units in posted:
                yield f"  {names.account(account)}  {_amount(units, asset_of(account), '', names)}\n"
    for market, mark in sorted(marks.items()):
        yield f"{date} price {names.commodity(market)}  {_amount(mark, USD, '', names)}\n"


def _amount(units: int, asset: str, tolerance: str, names: Names) -> str:
    if asset != USD:
        return f"{units}{tolerance} {names.commodity(asset)}"
    whole, micro = divmod(abs(units), 1_000_000)
    return f"{'-' if units < 0 else ''}{whole}.{micro:06}{tolerance} {USD}"


def _date(day: int) -> str:
    return datetime.fromtimestamp(day * DAY_NS // 1_000_000_000, UTC).date().isoformat()
