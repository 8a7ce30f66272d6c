"""Books against venue: funding, cash, listings. What nothing explains is shown, never traded on; too much halts."""

from collections.abc import Mapping, Sequence

from podshop.ledger import settle
from podshop.ledger.books import Books
from podshop.ledger.facts import HOUSE, Fact, Funding, FundingShare
from podshop.ledger.live import Listing
from podshop.ledger.postings import VENUE_CASH
from podshop.live.gateway.memory import Memory
from podshop.live.gateway.terms import Terms
from podshop.maths.compiled import original
from podshop.nouns import ASSUMED_SOURCE
from podshop.nouns.venue import Listed, Paid, Reading

VENUE_SOURCE = "venue"
_funding_of = original(settle.funding_of)


def funding_facts(paid: Paid, books: Books, mark_micro: int, terms: Terms) -> list[Fact]:
    """A settlement of the account, and what of it each book bears on its own lots; the rest of rounding is the house's.

    mark_micro  the mark it was settled at, as far as we know; the house bears what the venue's own differed by
    """
    facts: list[Fact] = [Funding(paid.paid_id, paid.market, paid.cash_micro)]
    assumed = paid.assumed or paid.cash_micro * paid.lots * paid.rate > 0  # who should have received has paid
    source = ASSUMED_SOURCE if assumed else VENUE_SOURCE
    rest, known = paid.cash_micro, mark_micro > 0 and abs(paid.rate) < 1.0
    for book in terms.books if known else ():
        lots = books.lots(book, paid.market)
        if lots:
            cash = int(_funding_of(lots, mark_micro, paid.rate, assumed))
            rest -= cash
            facts.append(FundingShare(book, paid.market, lots, mark_micro, paid.rate, source, cash))
    if rest:
        lots = books.lots(HOUSE, paid.market)
        facts.append(FundingShare(HOUSE, paid.market, lots, mark_micro, paid.rate, source, rest))
    return facts


def cash_off(books: Books, reading: Reading) -> int | None:
    """Cash at the venue less cash in the books; None where the reading does not say."""
    if reading.cash_micro is None:
        return None
    return reading.cash_micro - books.balances.get(VENUE_CASH, 0)


def lots_off_micro(memory: Memory, marks: Mapping[str, int]) -> int:
    """What all unexplained differences of lots are worth."""
    return sum(abs(line.differs) * marks.get(market, 0) for market, line in memory.lines.items())


def another(listing: Listing | None, terms: Terms) -> bool:
    """Whether a market has become one whose lots are not those of the books, or that ends: no word resumes that.

    What was other from the start a person has looked at; it is a later version that the books know nothing of.
    """
    if listing is None or listing.version == 1:
        return False
    return listing.delisted or listing.lot_size != terms.lot_sizes[terms.markets.index(listing.market)]


def listings(
    found: Sequence[Listed], known: Mapping[str, Listing], venue: str, terms: Terms
) -> list[tuple[Listing, str]]:
    """New versions of the fund's markets, each with what changed; the first version of each says nothing changed."""
    news: list[tuple[Listing, str]] = []
    by_market = {listed.market: listed for listed in found}
    for market, lot_size in zip(terms.markets, terms.lot_sizes, strict=True):
        listed, before = by_market.get(market), known.get(market)
        if listed is None:
            if before is not None and not before.delisted:
                news.append((before._replace(version=before.version + 1, delisted=True), "it is listed no more"))
            continue
        version = 1 if before is None else before.version + 1
        now = Listing(venue, market, version, *listed[1:])
        if before is None:
            wrong = listed.lot_size != lot_size
            news.append((now, f"a lot is {listed.lot_size:g}, expected {lot_size:g}" if wrong else ""))
        elif before._replace(version=version) != now:
            pairs = zip(Listing._fields, before, now, strict=True)
            changed = [f"{n} was {a}, is {b}" for n, a, b in pairs if a != b and n != "version"]
            news.append((now, "; ".join(changed)))
    return news
