"""podshop venue serve"""

import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import Parameter

from podshop.nouns import ConfigError, utc_ns, utc_text

SIMULATED = "simulated"


def serve(
    fund: Annotated[Path, Parameter(help="Fund file, TOML: its markets, costs and capital.")],
    /,
    *,
    data: Annotated[str, Parameter(help="Folder of history, or `simulated`.")] = SIMULATED,
    since: Annotated[datetime | None, Parameter(help="Where the replay begins, UTC; else where data allow.")] = None,
    rate: Annotated[float, Parameter(help="How many times faster than the wall history passes.")] = 300.0,
    manual: Annotated[bool, Parameter(negative="", help="Time stands still until POST /sim/advance.")] = False,
    port: Annotated[int, Parameter(help="Port on 127.0.0.1; 0 = any that is free.")] = 0,
    dialect: Annotated[
        Literal["server", "article"], Parameter(help="Of Purple Flea's half; Hyperliquid's is always there.")
    ] = "server",
    tier: Annotated[Literal["free", "pro", "whale"], Parameter(help="Of the Purple Flea account.")] = "free",
    signer: Annotated[list[str] | None, Parameter(help="Address that may sign; else the first to come.")] = None,
    evil: Annotated[str, Parameter(help="Faults: NAME=PROBABILITY,...; `podshop venue faults` lists them.")] = "",
    seed: Annotated[int, Parameter(help="Of the faults.")] = 0,
) -> None:
    """Serve a simulated exchange on this host: history, replayed, behind Purple Flea's and Hyperliquid's dialects."""
    import asyncio

    from podshop.run.backtest import market_facts
    from podshop.run.config import load
    from podshop.run.world import read_world
    from podshop.venues.exchange.evil import Evil
    from podshop.venues.exchange.make import exchange_of
    from podshop.venues.exchange.twin import Twin

    temper = Evil(seed, _faults(evil))
    read = load(fund)
    world = read_world(read, None if data == SIMULATED else Path(data), None if since is None else utc_ns(since), None)
    facts = market_facts(read, world.market, world.funding)
    start_ns, cash = int(world.decision_times()[0]), round(read.capital_usd * 1e6)
    truth = exchange_of(read.venue, read.instruments, world.market, world.funding, facts, start_ns, cash)
    twin = Twin(truth, temper)
    told = {
        "fund": read.name,
        "data": data,
        "ends": utc_text(int(world.market.time[-1])),
        "article": dialect == "article",
        "tier": tier,
        "signers": None if signer is None else frozenset(each.lower() for each in signer),
    }
    asyncio.run(_serve(twin, start_ns, rate, manual, port, told))


def faults() -> None:
    """List every fault of the evil twin."""
    from podshop.venues.exchange.evil import FAULTS

    width = max(map(len, FAULTS))
    for name, does in FAULTS.items():
        print(f"{name:<{width}}  {does}")


async def _serve(twin: Any, start_ns: int, rate: float, manual: bool, port: int, told: dict[str, Any]) -> None:
    import asyncio

    from podshop.venues.exchange.clock import ServedClock
    from podshop.venues.exchange.flea_rows import PAPER_KEY
    from podshop.venues.exchange.http import server_of, start

    clock = ServedClock(start_ns, rate, manual=manual)
    server = server_of(twin, clock, tier=told["tier"], article=told["article"], signers=told["signers"])
    runner, url = await start(server.application(), "127.0.0.1", port)
    passes = "stands still until POST /sim/advance" if manual else f"passes {rate:g} times faster than the wall"
    lines = [
        "SIMULATED EXCHANGE on this host alone: no money, no market, nothing leaves this computer.",
        f"{told['data']} history for {told['fund']!r}, from {utc_text(start_ns)} to {told['ends']}; it {passes}",
        f"Purple Flea  {url}/v1  key {PAPER_KEY}",
        f"Hyperliquid  {url}/info, {url}/exchange  account {server.loopback.wallet}",
        f"simulation   {url}/sim/clock, /sim/truth, /sim/evil (faults now: {twin.evil.faults})",
        "Ctrl-C ends it.",
    ]
    print("\n".join(lines), file=sys.stderr)
    print(url, flush=True)
    try:
        await asyncio.Event().wait()
    finally:
        await runner.cleanup()


def _faults(text: str) -> dict[str, float]:
    """Read NAME=P,NAME=P."""
    found = {}
    for part in filter(None, (each.strip() for each in text.split(","))):
        name, _, chance = part.partition("=")
        try:
            found[name] = float(chance)
        except ValueError:
            raise ConfigError(f"--evil: {part!r} is not a fault and its probability, such as lost_after=0.2") from None
    return found
