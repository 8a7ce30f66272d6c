"""The brain over real HTTP and a real socket: it is fed what the exchange shows and answers what a backtest decides."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import numpy as np
import pytest

from podshop.live.brain import process
from podshop.live.brain.again import answers_again
from podshop.live.brain.feed import Feed, Hyperliquid
from podshop.live.brain.process import Kept, Told, read_kept, serve, start, write_kept
from podshop.live.brain.seats import InThreads
from podshop.live.brain.snapshots import Decided, Fed, Snapshots, fed, rows_of, unfed
from podshop.live.frames import canonical, decoded, read_frame, write_frame
from podshop.live.messages import Hello, Targets
from podshop.nouns import HOUR_NS, DataError
from podshop.run.backtest import market_facts
from podshop.run.config import Fund, starter_fund
from podshop.run.world import World
from podshop.venues.exchange import http
from podshop.venues.exchange.clock import ServedClock
from podshop.venues.exchange.evil import Evil
from podshop.venues.exchange.make import exchange_of
from podshop.venues.exchange.twin import Twin
from tests.live.brain.backtests import Step, steps_of
from tests.live.brain.test_mind import same, world_of

DAYS = 6


@pytest.fixture(scope="module")
def history(shared_data: Path) -> tuple[Fund, World, list[Step]]:
    fund = starter_fund()
    world = world_of(fund, shared_data, "2022-05-10T05:00", DAYS)
    return fund, world, steps_of(fund, world.market, world.funding, world.decision_times())


@asynccontextmanager
async def exchange(fund: Fund, world: World) -> AsyncIterator[tuple[str, ServedClock]]:
    """The loopback exchange over HTTP; its time stands still until it is moved."""
    facts = market_facts(fund, world.market, world.funding)
    start_ns = int(world.decision_times()[0])
    cash = round(fund.capital_usd * 1e6)
    truth = exchange_of(fund.venue, fund.instruments, world.market, world.funding, facts, start_ns, cash)
    clock = ServedClock(start_ns, manual=True)
    server = http.server_of(Twin(truth, Evil(0, {})), clock)
    runner, url = await http.start(server.application(), "127.0.0.1", 0)
    try:
        yield url, clock
    finally:
        await runner.cleanup()


def test_what_the_exchange_shows_is_what_lies_in_the_files(
    history: tuple[Fund, World, list[Step]], shared_data: Path
) -> None:
    """Bars, funding and observations of six days, bit for bit, an hour at a time and in leaps."""
    fund, world, _ = history

    async def main() -> None:
        async with exchange(fund, world) as (url, clock):
            source = Hyperliquid(url)
            feed = Feed(fund, source, HOUR_NS, shared_data)
            at_ns = last_ns = int(world.decision_times()[0])
            for hours in (1, 1, 1, 2, 1, 30, 1, 1, 60, 1, 1, 20, 1):
                at_ns += hours * HOUR_NS
                clock.advance(at_ns)
                market, paid, silent = await feed.rows(last_ns, at_ns)
                assert silent == ()
                rows = (world.market.time > last_ns) & (world.market.time <= at_ns)
                np.testing.assert_array_equal(market.time, world.market.time[rows])
                assert sorted(market.columns) == sorted(world.market.columns)
                for name, panel in world.market.columns.items():
                    np.testing.assert_array_equal(market.columns[name], panel[rows], err_msg=name)
                settled = (world.funding.at_ns > last_ns) & (world.funding.at_ns <= at_ns)
                np.testing.assert_array_equal(paid.at_ns, world.funding.at_ns[settled])
                np.testing.assert_array_equal(paid.market, world.funding.market[settled])
                np.testing.assert_array_equal(paid.rate, world.funding.rate[settled])
                last_ns = at_ns
            await source.close()

    asyncio.run(main())


@asynccontextmanager
async def gateway(folder: Path, hello: list[Hello]) -> AsyncIterator[tuple[Path, asyncio.Queue[tuple]]]:  # type: ignore[type-arg]
    """A socket on which somebody opens cycles; connections are handed over as they come."""
    lines: asyncio.Queue[tuple] = asyncio.Queue()  # type: ignore[type-arg]
    path = folder / "targets"

    async def come(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        body = await read_frame(reader)
        assert body is not None
        hello.append(decoded(body, Hello))
        lines.put_nowait((reader, writer))

    server = await asyncio.start_unix_server(come, str(path))
    try:
        yield path, lines
    finally:
        server.close()


async def told(lines: asyncio.Queue, steps: list[Step], clock: ServedClock) -> None:  # type: ignore[type-arg]
    """Open these cycles and hold every answer against the backtest."""
    reader, writer = await lines.get()
    for step in steps:
        clock.advance(step.opened.at_ns)
        await write_frame(writer, step.opened)
        async with asyncio.timeout(20):
            body = await read_frame(reader)
        assert body is not None
        same(step, decoded(body, Targets))
    writer.close()


def test_a_brain_that_is_started_again_goes_on(
    history: tuple[Fund, World, list[Step]], shared_data: Path, tmp_path: Path
) -> None:
    """Four lives: from files, from its memory, without the last hour of that, and from its memory again."""
    fund, world, steps = history
    said = Told(fund="", data=str(shared_data), venue="simulated")
    hello: list[Hello] = []
    beats: list[int] = []

    async def main() -> None:
        async with exchange(fund, world) as (url, clock), gateway(tmp_path, hello) as (path, lines):
            source = Hyperliquid(url)
            lives = (steps[:40], steps[40:70], steps[70:90], steps[90:110])
            for life, part in enumerate(lives):
                brain = await start(fund, said, source, clock, tmp_path / "bars")
                stop = asyncio.Event()
                serving = asyncio.create_task(serve(brain, path, beats.append, stop))
                await told(lines, part, clock)
                stop.set()
                await serving
                before = read_kept(tmp_path / "bars" / "mind")
                brain.close()
                assert before is not None
                if life == 1:  # as if it had been killed: what it saved last is older than what it was fed
                    write_kept(tmp_path / "bars" / "mind", before)
            await source.close()

    asyncio.run(main())
    assert {each.fund_sha256 for each in hello} == {fund.sha256}
    assert beats
    rows = list(Snapshots(tmp_path / "bars").read())
    decided = [row for row in rows if isinstance(row, Decided)]
    assert [row.at_ns for row in decided] == [step.opened.at_ns for step in steps[:110]]
    assert [row.opened for row in decided] == [canonical(step.opened)[0] for step in steps[:110]]
    bars = [row for row in rows if isinstance(row, Fed)]
    assert len({row.at_ns for row in bars}) == 109


def test_voices_and_shadows_are_made_anew_where_the_memory_is_lost(
    history: tuple[Fund, World, list[Step]], shared_data: Path, tmp_path: Path
) -> None:
    fund, world, steps = history
    said = Told(fund="", data=str(shared_data), venue="simulated")

    async def main() -> None:
        async with exchange(fund, world) as (url, clock):
            source = Hyperliquid(url)
            brain = await start(fund, said, source, clock, tmp_path)
            for step in steps[:30]:
                clock.advance(step.opened.at_ns)
                await brain.answer(step.opened)
            brain.close()
            kept = read_kept(tmp_path / "mind")
            assert kept is not None
            write_kept(tmp_path / "mind", Kept(kept.began_ns, kept.last_ns, b""))
            again = await start(fund, said, source, clock, tmp_path)
            for step in steps[30:60]:
                clock.advance(step.opened.at_ns)
                targets = await again.answer(step.opened)
                assert targets is not None
                assert not step.opened.state
                if step.opened.cycle - steps[30].opened.cycle >= 8:  # the slowest cadence of a book
                    assert targets.wished == step.wished
                assert [[n != 0 for n in row] for row in targets.wished] == [
                    [n != 0 for n in row] for row in step.wished
                ]
                assert targets.covariance == step.covariance
            again.close()
            await source.close()

    asyncio.run(main())


def test_a_bar_that_does_not_come_is_missing_and_nobody_waits_for_ever(
    history: tuple[Fund, World, list[Step]], shared_data: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    fund, world, steps = history
    said = Told(fund="", data=str(shared_data), venue="simulated")

    async def main() -> None:
        async with exchange(fund, world) as (url, clock):
            source = Hyperliquid(url)
            brain = await start(fund, said, source, clock, tmp_path)
            clock.advance(steps[0].opened.at_ns)
            await brain.answer(steps[0].opened)
            monkeypatch.setattr(Hyperliquid, "bars", silence)
            late = asyncio.create_task(brain.answer(steps[1].opened))
            clock.advance(steps[1].opened.at_ns)
            await asyncio.sleep(0.3)
            assert not late.done()
            clock.advance(steps[1].opened.at_ns + process.PATIENCE_NS)
            targets = await late
            assert targets is not None
            assert np.isnan(brain.mind._lengths.base.market.columns["close"][-1]).all()
            brain.close()
            await source.close()

    async def silence(*_: object) -> list[object]:
        return []

    asyncio.run(main())


def test_targets_that_took_as_long_as_their_cycle_are_dropped(
    history: tuple[Fund, World, list[Step]], shared_data: Path, tmp_path: Path
) -> None:
    fund, world, steps = history
    said = Told(fund="", data=str(shared_data), venue="simulated")

    async def main() -> None:
        async with exchange(fund, world) as (url, clock):
            source = Hyperliquid(url)
            brain = await start(fund, said, source, clock, tmp_path)
            clock.advance(steps[0].opened.at_ns + HOUR_NS)
            assert await brain.answer(steps[0].opened) is None
            brain.close()
            await source.close()

    asyncio.run(main())


def test_a_cut_row_is_left_out_and_written_over(history: tuple[Fund, World, list[Step]], tmp_path: Path) -> None:
    _, world, _ = history
    none = Snapshots(tmp_path)
    for row in range(100, 104):
        none.add(fed(world.market[row : row + 1], process.of_time(world.funding, 0, 0), "x"))
    none.close()
    file = next(tmp_path.glob("*.bars"))
    whole = file.read_bytes()
    ends = [end for _, end in rows_of(file)]
    assert ends[-1] == len(whole)
    for cut in range(ends[2] + 1, len(whole), 37):
        file.write_bytes(whole[:cut])
        assert [end for _, end in rows_of(file)] == ends[:3]
        again = Snapshots(tmp_path)
        again.add(fed(world.market[103:104], process.of_time(world.funding, 0, 0), "x"))
        again.close()
        assert file.read_bytes() == whole
    market, _ = unfed([row for row in Snapshots(tmp_path).read() if isinstance(row, Fed)])
    for name, panel in world.market.columns.items():
        np.testing.assert_array_equal(market.columns[name], panel[100:104], err_msg=name)
    file.write_bytes(whole[: ends[0]] + b"\x00\x00\x00\x01\xc1" + whole[ends[0] :])
    with pytest.raises(DataError, match="is none"):
        list(rows_of(file))


def test_memory_that_is_not_whole_is_refused(tmp_path: Path) -> None:
    write_kept(tmp_path / "mind", Kept(1, 2, b"abc"))
    assert read_kept(tmp_path / "mind") == Kept(1, 2, b"abc")
    raw = (tmp_path / "mind").read_bytes()
    (tmp_path / "mind").write_bytes(raw[:-1] + b"d")
    with pytest.raises(DataError, match="not whole"):
        read_kept(tmp_path / "mind")


def test_every_answer_can_be_given_again(
    history: tuple[Fund, World, list[Step]], shared_data: Path, tmp_path: Path
) -> None:
    """From what was kept on disk alone, over a restart and a cycle that nobody asked for; an agent had no vote once."""
    fund, world, steps = history
    said = Told(fund="", data=str(shared_data), venue="simulated")
    deaf = {steps[25].opened.at_ns}

    def ask(asked):  # type: ignore[no-untyped-def]
        answers = dict(InThreads()(asked))
        if asked[0].seat.market.time[-1] in deaf:
            answers[asked[0].seat.name] = None
        return answers

    async def main() -> None:
        async with exchange(fund, world) as (url, clock):
            source = Hyperliquid(url)
            for part in (steps[4:20], steps[21:45]):  # four bars come before anybody asks
                brain = await start(fund, said, source, clock, tmp_path, ask)
                for step in part:
                    clock.advance(step.opened.at_ns)
                    await brain.answer(step.opened)
                brain.close()
            await source.close()

    asyncio.run(main())
    found = list(answers_again(fund, said, tmp_path, steps[44].opened.at_ns))
    assert len(found) == 40
    assert all(one.same for one in found)
    rows = [row for row in Snapshots(tmp_path).read() if isinstance(row, Decided)]
    assert sum(bool(row.silent) for row in rows) == 1
    with pytest.raises(DataError, match="no decision was kept"):
        next(answers_again(fund, said, tmp_path, 0))


def test_a_gateway_that_comes_back_is_told_the_same_again(
    history: tuple[Fund, World, list[Step]], shared_data: Path, tmp_path: Path
) -> None:
    fund, world, steps = history
    said = Told(fund="", data=str(shared_data), venue="simulated")

    async def main() -> None:
        async with exchange(fund, world) as (url, clock):
            source = Hyperliquid(url)
            brain = await start(fund, said, source, clock, tmp_path)
            clock.advance(steps[0].opened.at_ns)
            first = await brain.answer(steps[0].opened)
            assert first is not None
            assert await brain.answer(steps[0].opened) is first
            clock.advance(steps[1].opened.at_ns)
            assert await brain.answer(steps[0].opened) is None
            with pytest.raises(DataError, match="is not the one of"):
                await brain.answer(msgspec.structs.replace(steps[1].opened, cycle=7))
            brain.close()
            await source.close()

    asyncio.run(main())
