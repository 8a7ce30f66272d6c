"""From the fund file to the treasury: the priors of the books, the previous weights, and the cash that is left."""

from dataclasses import replace

import numpy as np
import pytest

from podshop.feeds.simulated import simulate
from podshop.nouns import DAY_NS, HOUR_NS, ConfigError
from podshop.run.allocator import PRIOR_SHARPE, allocator_of
from podshop.run.backtest import market_facts
from podshop.run.config import Fund, starter, starter_fund
from podshop.run.loop import Run
from podshop.run.opinions import seats
from podshop.treasury import KINDS, Rules
from tests.run.test_config import read  # how its tests read a text as a fund file


def with_allocator(tmp_path, text: str) -> Fund:
    head, _, tail = starter().partition("[treasury.allocator]\n")
    return read(tmp_path, f"{head}[treasury.allocator]\n{text}\n\n{tail[tail.index('[venue]') :]}")


def test_the_fund_file_names_every_rule(tmp_path) -> None:
    agent = allocator_of(
        with_allocator(
            tmp_path,
            'kind = "shrunk"\nprior_days = 100\ninvest_all_from = 1.0\nback_from = 0.2\nfloor = 0.1\ncap = 1.5\n'
            "band = 0.3\nturnover = 0.2",
        )
    )
    assert agent.kind == "shrunk"
    assert agent.rules == Rules(
        prior_days=100, invest_all_from=1.0, back_from=0.2, floor=0.1, cap=1.5, band=0.3, turnover=0.2
    )
    assert allocator_of(with_allocator(tmp_path, 'kind = "shrunk"')).rules == Rules()


def test_a_prior_is_of_the_family_if_told_else_of_the_horizon(tmp_path) -> None:
    usual = (PRIOR_SHARPE["swing"], PRIOR_SHARPE["intraday"], PRIOR_SHARPE["swing"])
    assert allocator_of(with_allocator(tmp_path, "")).prior == usual
    told = with_allocator(tmp_path, "prior_sharpe = { swing = 0.7, funding = 0.9 }")
    assert allocator_of(told).prior == (0.7, 0.3, 0.9)


def test_a_prior_of_nothing_is_refused(tmp_path) -> None:
    with pytest.raises(ConfigError, match=r"treasury.allocator.prior_sharpe has no 'momentun'.*'momentum'"):
        with_allocator(tmp_path, "prior_sharpe = { momentun = 0.7 }")


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_a_fund(tmp_path, kind: str) -> None:
    assert with_allocator(tmp_path, f'kind = "{kind}"').allocator.kind == kind


def test_the_loop_hands_on_yesterdays_weights_and_the_house_keeps_the_cash() -> None:
    """Weights of 40 days follow from the shadows' days and from one another; what they leave is the house's capital."""
    usual = starter_fund()
    rules = replace(usual.allocator, kind="shrunk", compound="always", turnover=0.01, band=0.0, invest_all_from=9)
    fund = replace(usual, allocator=rules)
    end = 19_400 * DAY_NS
    market, funding = simulate(fund.market.markets, HOUR_NS, end - 140 * DAY_NS, end, seed=3)
    kept: list[dict[str, np.ndarray]] = []

    class Books:
        def write(self, table: str, columns: object, /) -> None:
            if table == "books":
                kept.append({name: values.copy() for name, values in columns.items()})  # type: ignore[attr-defined]

    run = Run(fund, market_facts(fund, market, funding), seats(market, fund.signals, fund.confidence), Books())
    run.run(market.time[market.time >= end - 40 * DAY_NS], lambda *_: None)
    weights, agent = np.full(3, 1 / 3), allocator_of(fund)
    assert len(kept) == 40
    for day, books in enumerate(kept):
        weights = agent(run.daily_return[:day], weights)
        assert books["weight"][:3].tolist() == weights.tolist()
        nav = books["equity_micro"].sum()
        assert books["capital_micro"][:3].tolist() == np.floor(weights * nav).tolist()
        assert books["capital_micro"].sum() == nav
    assert weights.sum() < 0.95  # ten days of at most a hundredth
    assert books["capital_micro"][3] > 0.05 * nav
