"""What happens at the venue without us is booked within one cycle, shown, and halts the fund where it is too much."""

import msgspec
import pytest

from podshop.journal.facts import read
from podshop.ledger.facts import HOUSE
from podshop.ledger.live import Alarm, Listing
from podshop.live.gateway import reconcile
from podshop.live.gateway.core import Gateway
from podshop.live.gateway.terms import Hard
from podshop.nouns import HOUR_NS
from podshop.nouns.venue import Listed
from podshop.nouns.verdict import HALTED_STATE, REDUCE_ONLY_STATE, RUNNING
from podshop.orders.facts import Differs
from tests.live import virtual
from tests.live.gateway.world import BAR_NS, LOOSE, World


def facts(world, kind):
    return [read(row.kind, row.v, row.body) for row in world.keeper.rows() if row.kind == kind]


def alarms(world):
    return [fact.code for fact in facts(world, "alarm") if isinstance(fact, Alarm)]


def story(world, before, happens, after, check=None):
    """Cycles, something at the exchange in the middle of one, and cycles after it."""

    async def main(clock):
        await world.start(clock)
        k = world.first + 1
        for _ in range(before):
            await world.cycle(clock, k)
            k += 1
        await clock.sleep_until(k * BAR_NS - BAR_NS // 3)
        happens(world, clock)
        for _ in range(after):
            await world.cycle(clock, k)
            k += 1
        (check or world.check_exact)()
        found = {kind: facts(world, kind) for kind in ("booked", "alarm", "differs", "state_changed", "suspense")}
        world.die()
        return found

    return virtual.run(main, at_ns=world.start_ns)


def test_a_foreign_trade_is_the_houses_and_the_coin_only_reduces(tmp_path):
    world = World(tmp_path)

    def check():
        world.check_exact()
        assert world.keeper.books.lots(HOUSE, "BTC") == 500
        assert world.gateway.memory.line("BTC").reduce_only
        assert not world.gateway.memory.line("ETH").reduce_only

    found = story(world, 4, lambda w, clock: w.exchange.foreign(clock.now_ns(), "BTC", 500), 3, check)
    assert "EXTERNAL" in [alarm.code for alarm in found["alarm"]]
    assert [fact.to for fact in found["booked"] if not fact.intent] == ["house"]


def test_a_liquidation_is_borne_by_those_who_held(tmp_path):
    world = World(tmp_path)
    held = {}

    def liquidated(w, clock):
        held.update({book: w.keeper.books.lots(book, "ETH") for book in w.books})
        w.exchange.foreign(clock.now_ns(), "ETH", -w.exchange.lots["ETH"], "liquidation")

    def check():
        world.check_exact()
        assert world.keeper.books.lots(HOUSE, "ETH") == 0

    found = story(world, 4, liquidated, 1, check)
    assert any(held.values())
    assert [fact.to for fact in found["booked"] if not fact.intent] == ["held"]


def test_history_that_is_told_twice_changes_nothing(tmp_path):
    world = World(tmp_path, faults={"fills_twice": 1.0})
    world.run(12, check=world.check_exact)
    assert world.evil.fired["fills_twice"] > 10


def test_a_position_that_nothing_explains_is_never_traded_on_and_halts_past_the_threshold(tmp_path):
    world = World(tmp_path)

    def moved(w, clock):
        w.exchange.lots["SOL"] += 10_000  # no fill says so

    def check():
        assert world.gateway.memory.line("SOL").differs == 10_000
        assert world.gateway.state() == HALTED_STATE
        assert world.exchange.lots["SOL"] - world.gateway.memory.line("SOL").booked == 10_000

    found = story(world, 4, moved, 3, check)
    assert any(isinstance(fact, Differs) and fact.lots == 10_000 for fact in found["differs"])
    assert any(fact.state == HALTED_STATE for fact in found["state_changed"])


def test_mutant_a_large_threshold_does_not_halt(tmp_path):
    world = World(tmp_path)
    world.terms = msgspec.structs.replace(world.terms, suspense_micro=1 << 50)

    def moved(w, clock):
        w.exchange.lots["SOL"] += 10_000

    def check():
        assert world.gateway.state() == RUNNING

    story(world, 4, moved, 3, check)


def test_cash_that_nothing_explains_goes_to_suspense(tmp_path):
    world = World(tmp_path)

    def gone(w, clock):
        w.exchange.account.cash_micro -= 20_000_000

    def check():
        assert world.gateway.memory.suspense_micro == -20_000_000
        assert world.gateway.state() == RUNNING

    found = story(world, 3, gone, 3, check)
    assert [fact.cash_micro for fact in found["suspense"]] == [-20_000_000]


@pytest.mark.parametrize("protected", [True, False], ids=["the gateway", "mutant: any reading counts"])
def test_a_stale_reading_halts_nobody(tmp_path, monkeypatch, protected):
    if not protected:
        monkeypatch.setattr(Gateway, "_believed", lambda self, reading, at_ns: True)
    world = World(tmp_path, faults={"stale_positions": 0.8}, seed=1)
    halted = []
    world.run(30, check=lambda: halted.append(world.gateway.memory.suspense_micro != 0))
    assert world.evil.fired["stale_positions"] > 10
    assert any(halted) is not protected


def test_a_days_loss_beyond_the_gateways_own_limit_halts(tmp_path):
    hard = msgspec.structs.replace(LOOSE, daily_loss=0.02)
    world = World(tmp_path, hard=hard)

    def lost(w, clock):
        w.exchange.account.fills.append(
            w.exchange.account.fills[-1]._replace(fill_id="loss", lots=0, fee_micro=3_000_000_000, order_id="x",
                                                  client_id=None, at_ns=clock.now_ns(), kind="adl")
        )  # fmt: skip
        w.exchange.account.cash_micro -= 3_000_000_000

    async def main(clock):
        await world.start(clock)
        for k in range(4):
            await world.cycle(clock, world.first + 1 + k)
        await clock.sleep_until((world.first + 5) * BAR_NS - BAR_NS // 3)
        lost(world, clock)
        await world.cycle(clock, world.first + 5)
        assert world.gateway.state() == HALTED_STATE
        for k in range(6, 10):
            before = dict(world.exchange.lots)
            await world.cycle(clock, world.first + k)
            for name, lots in world.exchange.lots.items():
                assert abs(lots) <= abs(before[name])
                assert lots * before[name] >= 0
        world.die()

    virtual.run(main, at_ns=world.start_ns)


def test_a_market_whose_lot_changed_is_only_reduced(tmp_path):
    world = World(tmp_path)

    def changed(w, clock):
        listed = next(each for each in w.exchange.listed() if each.market == "XRP")
        w.exchange.listing["XRP"] = listed._replace(lot_size=1.0)

    def check():
        world.check_exact()
        assert world.gateway.memory.only["market XRP"][0] == REDUCE_ONLY_STATE
        assert world.gateway.memory.listings["XRP"].version == 2
        assert isinstance(world.gateway.memory.listings["XRP"], Listing)

    found = story(world, 3, changed, 14, check)
    assert "LISTING" in [alarm.code for alarm in found["alarm"]]


BTC = Listed("BTC", "BTC", 0.1, HOUR_NS, 40, False)


@pytest.mark.parametrize(("found", "said"), [
    ((BTC,), None),
    ((BTC._replace(lot_size=1.0),), "lot_size was 0.1, is 1.0"),
    ((BTC._replace(venue_name="kBTC"),), "venue_name was BTC, is kBTC"),
    ((BTC._replace(funding_interval_ns=8 * HOUR_NS),), f"funding_interval_ns was {HOUR_NS}, is {8 * HOUR_NS}"),
    ((BTC._replace(delisted=True),), "delisted was False, is True"),
    ((), "it is listed no more"),
])  # fmt: skip
def test_every_change_of_an_instrument_is_a_new_version(tmp_path, found, said):
    terms = World(tmp_path, markets=1).terms
    ((first, nothing),) = reconcile.listings((BTC,), {}, "memory", terms)
    assert (first.version, nothing) == (1, "")
    news = reconcile.listings(found, {"BTC": first}, "memory", terms)
    assert [(listing.version, why) for listing, why in news] == ([] if said is None else [(2, said)])


@pytest.mark.parametrize("protected", [True, False], ids=["the gateway", "mutant: a resumed market is a market"])
def test_no_word_resumes_a_market_whose_lots_are_others(tmp_path, monkeypatch, protected):
    if not protected:
        monkeypatch.setattr(reconcile, "another", lambda listing, terms: False)
    world, grown = World(tmp_path), []

    async def main(clock):
        await world.start(clock)
        listed = next(each for each in world.exchange.listed() if each.market == "XRP")
        world.exchange.listing["XRP"] = listed._replace(lot_size=1.0)
        for k in range(26):
            before = world.exchange.lots["XRP"]
            await world.cycle(clock, world.first + 1 + k)
            if "market XRP" in world.gateway.memory.only:
                world.gateway.desk.hold(clock.now_ns(), RUNNING, "market", "XRP", "ann", "go on")
                world.gateway.desk.commit()
            elif world.gateway.memory.listings["XRP"].version == 2:
                after = world.exchange.lots["XRP"]
                grown.append(abs(after) > abs(before) or after * before < 0)
        world.die()

    virtual.run(main, at_ns=world.start_ns)
    assert len(grown) > 10
    assert any(grown) is not protected


@pytest.mark.parametrize("skew", [True, False])
def test_a_clock_that_is_off_brings_no_new_risk(tmp_path, skew):
    world = World(tmp_path, faults={"skew": 1.0} if skew else {})
    world.run(4, check=lambda: None)
    assert (len(world.exchange.orders) == 0) is skew


@pytest.mark.parametrize("stale", [True, False])
def test_a_stale_price_is_no_price_to_trade_at(tmp_path, stale):
    world = World(tmp_path, faults={"stale_price": 1.0} if stale else {})
    world.run(4, check=lambda: None)
    assert (len(world.exchange.orders) == 0) is stale


def test_turnover_is_bounded(tmp_path):
    hard = Hard(
        max_weight=0.5, max_gross=3.0, max_net=3.0, max_var=0.2, max_order=0.5, turnover=0.5, daily_loss=1e6,
        variance_floor=0.0,
    )  # fmt: skip
    world = World(tmp_path, hard=hard)
    world.run(12)
    codes = [verdict.code for report in world.reports for verdict in report.verdicts]
    assert "TURNOVER" in codes
    free = World(tmp_path / "free", hard=LOOSE)
    (tmp_path / "free").mkdir()
    free.run(12)

    def traded(w):
        return sum(abs(fill.lots) * fill.price_micro for fill in w.exchange.account.fills)

    assert traded(world) < 0.8 * traded(free)


def sent_by(prefix):
    """Somebody closes half of a position, with an order of his own."""

    def happens(w, clock):
        lots = w.exchange.lots["ETH"]
        ack = w.exchange.submit(
            clock.now_ns(), "ETH", -lots // 2, 1 if lots > 0 else 10**12, client_id=prefix + "0" * 28, tag="trade"
        )
        assert not ack.code

    return happens


def test_what_the_watchdog_closed_is_borne_by_those_who_held(tmp_path):
    world = World(tmp_path)

    def check():
        world.check_exact()
        assert world.keeper.books.lots(HOUSE, "ETH") == 0
        assert world.gateway.state() == RUNNING

    found = story(world, 4, sent_by("f1a7"), 1, check)
    assert [fact.to for fact in found["booked"] if not fact.intent] == ["held"]


def test_an_order_of_another_host_halts_the_fund(tmp_path):
    world = World(tmp_path)

    def check():
        world.check_exact()
        assert world.gateway.state() == HALTED_STATE
        assert "no gateway of this fund" in world.gateway.memory.reason

    story(world, 4, sent_by("abcd"), 1, check)
