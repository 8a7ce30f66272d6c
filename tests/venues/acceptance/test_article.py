"""The article's one call, in paper: it opens at the simulated exchange; positions and fills are Hyperliquid's."""

import asyncio

from podshop.venues.exchange.clock import ServedClock
from podshop.venues.exchange.flea_rows import PAPER_KEY
from podshop.venues.exchange.http import server_of, start
from podshop.venues.exchange.loopback import WALLET
from podshop.venues.exchange.twin import Twin
from podshop.venues.purpleflea.client import PurpleFlea
from podshop.venues.purpleflea.dialects import ARTICLE
from podshop.venues.wire import Secret
from tests.venues.acceptance.worlds import BEGIN_NS, World
from tests.venues.exchange import small


def test_the_article_opens_and_opens_the_other_side_and_closes_nothing() -> None:
    async def run() -> None:
        twin, clock = Twin(small.exchange()), ServedClock(BEGIN_NS, manual=True)
        runner, url = await start(server_of(twin, clock, article=True).application(), "127.0.0.1", 0)
        venue = PurpleFlea(
            WALLET, Secret(PAPER_KEY), ("BTC", "ETH"), clock.now_ns, dialect=ARTICLE, base_url=url, submit_s=1.0
        )
        made = World(venue, twin, clock, _closing=[runner.cleanup])
        _, opened = await made.send(100)
        assert (opened.outcome, opened.hinted_lots, made.lots()) == ("accepted", 100, 100)
        _, closed = await made.closing()
        assert (closed.outcome, closed.code, made.lots()) == ("refused", "DIALECT", 100)
        await made.send(-100)
        assert made.lots() == 0
        fills = await venue.fills(BEGIN_NS)
        assert [fill.lots for fill in fills] == [100, -100]
        assert fills[0].order_id == opened.order_id
        assert dict((await venue.reading()).lots) == {}
        await made.close()

    asyncio.run(run())
