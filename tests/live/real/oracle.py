"""What must hold once all is quiet: the journal against what the exchange would swear to, and what passed the line."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from podshop.journal.facts import read
from podshop.journal.keeper import Keeper
from podshop.journal.verify import verify
from podshop.ledger.facts import Fill, Funding
from podshop.live.gateway.memory import remembered
from podshop.orders.facts import Committed


class Judged(dict[str, int]):
    """What was counted; `wrong` is what must not be."""

    wrong: list[str]


def judge(journal: Path, truth: Mapping[str, Any], left: Mapping[str, int]) -> Judged:
    """Compare.

    truth  /sim/truth, asked for when nothing was open any more
    left   client id -> how often an order of it set out
    """
    wrong: list[str] = []
    checked = verify(journal)
    if checked.first_bad is not None:
        wrong.append(f"ledger verify: row {checked.first_bad}: {checked.why}")
    intents: set[str] = set()
    fills, fundings = Counter[str](), Counter[str]()
    opened_ns = 0
    with Keeper(journal) as keeper:
        for row in keeper.rows():
            if row.kind == "opening":
                opened_ns = row.at_ns
            if row.kind not in ("committed", "fill", "funding"):
                continue
            fact = read(row.kind, row.v, row.body)
            if isinstance(fact, Committed):
                intents.add(fact.order.intent)
            elif isinstance(fact, Fill):
                fills[fact.venue_id] += 1
            elif isinstance(fact, Funding):
                fundings[fact.venue_id] += 1
        books, memory = keeper.books, remembered(keeper)
        lots = {name: books.balances.get(f"venue:lots:{name}", 0) for name in truth["lots"]}
        cash = books.balances.get("venue:cash", 0)
    twice = [name for name, count in left.items() if count > 1]
    if twice:
        wrong.append(f"{len(twice)} intents left more than once: {twice[:3]}")
    if strange := set(left) - intents:
        wrong.append(f"{len(strange)} orders left without an intent in the journal: {sorted(strange)[:3]}")
    ids = Counter(order["client_id"] for order in truth["orders"])
    if more := [name for name, count in ids.items() if count > 1]:
        wrong.append(f"{len(more)} client ids are several orders at the exchange: {more[:3]}")
    if untracked := set(ids) - intents:
        wrong.append(f"{len(untracked)} orders at the exchange are untracked: {sorted(map(str, untracked))[:3]}")
    known = {fill["fill_id"] for fill in truth["fills"]}
    if lost := known - set(fills):
        wrong.append(f"{len(lost)} fills of {len(known)} are lost: {sorted(lost)[:3]}")
    if phantom := set(fills) - known:
        wrong.append(f"{len(phantom)} fills are booked that never were: {sorted(phantom)[:3]}")
    if again := [name for name, count in fills.items() if count > 1]:
        wrong.append(f"{len(again)} fills are booked twice: {again[:3]}")
    if again := [name for name, count in fundings.items() if count > 1]:
        wrong.append(f"{len(again)} settlements are booked twice: {again[:3]}")
    if lots != truth["lots"]:
        wrong.append(f"the books hold {lots}, the exchange {truth['lots']}")
    later = sum(paid["cash_micro"] for paid in truth["funding"] if paid["at_ns"] >= opened_ns)
    waiting = [paid for paid in truth["funding"] if paid["at_ns"] < opened_ns]
    if len(fundings) not in range(len(waiting), len(truth["funding"]) + 1):
        wrong.append(f"{len(fundings)} settlements are booked, {len(waiting)} were made")
    exact = truth["cash_micro"] - cash
    if exact not in (0, later):
        wrong.append(f"{cash} micro-USD in the books, {truth['cash_micro']} in truth, {later} paid since")
    if memory.suspense_micro:
        wrong.append(f"{memory.suspense_micro} micro-USD in suspense")
    for name in truth["lots"]:
        line = memory.line(name)
        if line.held or line.differs or line.state != "IDLE":
            wrong.append(f"{name}: {line.state}, {len(line.held)} fills without an owner, {line.differs} lots differ")
    found = Judged(
        orders=len(truth["orders"]), intents=len(intents), left=len(left), fills=len(fills), settled=len(fundings),
        rows=checked.rows,
    )  # fmt: skip
    found.wrong = wrong
    return found
