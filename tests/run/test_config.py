"""A fund file is read strictly: each mistake is one line that says where, what was found, and what was expected."""

import os
import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from podshop.nouns import ConfigError
from podshop.run.config import Fund, canonical, coarse, load, reference, starter
from podshop.run.config.reference import meaning, tables

ROOT = Path(__file__).resolve().parents[2]

OWN_AGENT = """
from dataclasses import dataclass
from typing import ClassVar

@dataclass(frozen=True, slots=True, kw_only=True)
class Own:
    bar: str = "4h"
    threshold: float = 0.5
    window_bars: int = 10
    reads: ClassVar[tuple[str, ...]] = ("close",)

    @property
    def lookback_bars(self) -> int:
        return self.window_bars

    def __call__(self, close):
        return close * 0

class NoDataclass:
    pass
"""

OWN_RISK = """
from dataclasses import dataclass, field

from podshop.nouns import Limits

@dataclass
class Quiet:
    weekend_gross: float = 0.5
    looks: int = field(default=0, init=False)

    def __call__(self, view):
        return Limits(reason="", version=view.version, max_gross=self.weekend_gross)

@dataclass
class Greedy(Quiet):
    cadence: str = "1h"

class NoDataclass:
    def __call__(self, view):
        return None
"""


def read(tmp_path: Path, text: str) -> Fund:
    """Load a fund file of this text."""
    (tmp_path / "fund.toml").write_text(text, encoding="utf-8")
    return load(tmp_path / "fund.toml")


def edited(*edits: tuple[str, str]) -> str:
    """The starter fund with some text replaced; what is replaced must be there."""
    text = starter()
    for old, new in edits:
        assert old in text, old
        text = text.replace(old, new, 1)
    return text


def test_the_starter_is_a_whole_fund(tmp_path):
    fund = read(tmp_path, starter())
    assert [seat.kind for seat in fund.signals] == ["momentum", "reversal", "carry"]
    assert [len(mandate.markets) for mandate in fund.mandates] == [5, 5, 5]
    assert fund.capital_usd == 100_000
    assert fund.limits.max_weight == 0.05
    assert [one.name for one in fund.instruments] == ["BTC", "ETH", "XRP", "LTC", "ADA"]


def test_the_starter_in_the_repository_is_the_one_that_init_writes():
    assert (ROOT / "funds" / "starter.toml").read_text(encoding="utf-8") == starter()


# What is edited into the starter fund -> the whole message, after the file's name.
MISTAKES = {
    "unknown key": (
        ("window_bars = 720", "windw_bars = 720"),
        "signals.trend has no 'windw_bars', did you mean 'window_bars'?",
    ),
    "unknown key far from all": (
        ("half_spread_bps = 1.0", "qqq = 1"),
        "venue has no 'qqq', expected one of half_spread_bps, impact, lots, maker_fee_bps, min_notional_usd, name, "
        "participation, queue, taker_fee_bps, volume_window",
    ),
    "unknown table": (("[limits]", "[limit]"), " has no 'limit', did you mean 'limits'?"),
    "unknown risk agent": (
        ("[risk.drawdown_limiter]", "[risk.drawdown]"),
        "risk has no 'drawdown', did you mean 'drawdown_limiter'?; an agent of your own needs a kind, module:Class",
    ),
    "text for a number": (
        ("halve_from = 0.75", "halve_from = 'high'"),
        "risk.drawdown_limiter.halve_from is 'high', expected a number",
    ),
    "fraction for a whole number": (
        ("window_bars = 720", "window_bars = 720.5"),
        "signals.trend.window_bars is 720.5, expected a whole number",
    ),
    "truth for a number": (
        ("max_var = 0.02", "max_var = true"),
        "limits.max_var is True, expected a number > 0 and <= 1",
    ),
    "nan for a limit": (("max_var = 0.02", "max_var = nan"), "limits.max_var is nan, expected a finite number"),
    "infinite limit": (("impact = 1.0 ", "impact = inf "), "venue.impact is inf, expected a finite number"),
    "table for a value": (('venue = "okx_perp" ', "venue = { a = 1 } "), "market.venue is {'a': 1}, expected a text"),
    "value for a table": (
        ('[signals.trend]\nkind = "momentum" ', "[signals]\ntrend = 5 "),
        "signals.trend is 5, expected a table",
    ),
    "cap above 1": (
        ("max_weight = 0.05", "max_weight = 1.5"),
        "limits.max_weight is 1.5, expected a number > 0 and <= 1",
    ),
    "leverage above 1": (("max_gross = 1.0", "max_gross = 2"), "limits.max_gross is 2, expected a number > 0 and <= 1"),
    "cap of 0": (("max_weight = 0.05", "max_weight = 0"), "limits.max_weight is 0, expected a number > 0 and <= 1"),
    "no order is small enough": (
        ("min_order_usd = 100", "min_order_usd = 5000"),
        "limits.min_order_usd is 5000.0, expected less than the largest position, 5000 USD",
    ),
    "no markets": (
        ('markets = ["BTC", "ETH", "XRP", "LTC", "ADA"]', "markets = []"),
        "market.markets is [], expected at least one name",
    ),
    "market not in the symbol table": (
        ('"ADA"]', '"ADAA"]'),
        "market.markets: 'ADAA' is not a market in the symbol table, did you mean 'ADA'?",
    ),
    "market twice": (('"ADA"]', '"BTC"]'), "market.markets names 'BTC' twice"),
    "unknown venue": (
        ('venue = "okx_perp"', 'venue = "okx"'),
        "market.venue is 'okx', expected one of okx_perp, binance_perp, binance_spot, hyperliquid_perp, coinbase_spot",
    ),
    "unknown funding source": (
        ('"binance_perp", "hyper', '"binance", "hyper'),
        "market.funding is 'binance', expected one of okx_perp, binance_perp, binance_spot, hyperliquid_perp, "
        "coinbase_spot",
    ),
    "market of a mandate that the fund has not": (
        ('horizon = "intraday"', 'horizon = "intraday"\nmarkets = ["SOL"]'),
        "execution.mean_reverter.markets has no 'SOL', expected one of ADA, BTC, ETH, LTC, XRP",
    ),
    "market that no signal covers": (
        ('kind = "carry"', 'kind = "carry"\nmarkets = ["BTC"]'),
        "execution.carry_collector trades 'ETH', which no signal it listens to covers",
    ),
    "unknown signal": (
        ("listens = { trend = 1.0 }", "listens = { trnd = 1.0 }"),
        "execution.trend_follower.listens has no 'trnd', did you mean 'trend'?",
    ),
    "listens to nobody": (
        ("listens = { trend = 1.0 }", "listens = {}"),
        "execution.trend_follower.listens is [], expected at least one name",
    ),
    "a voice without weight": (
        ("listens = { trend = 1.0 }", "listens = { trend = 0 }"),
        "execution.trend_follower.listens.trend is 0.0, expected a weight other than 0",
    ),
    "weight is a text": (
        ("listens = { trend = 1.0 }", "listens = { trend = 'all' }"),
        "execution.trend_follower.listens is {'trend': 'all'}, expected a table, each a number",
    ),
    "key that must be given": (('cadence = "4h" ', "# "), "execution.trend_follower lacks 'cadence', expected a text"),
    "bad duration": (
        ('cadence = "4h" ', 'cadence = "4 hours" '),
        "execution.trend_follower.cadence: '4 hours' is not a length of time, expected a whole number and s, m, h "
        "or d, such as '5m'",
    ),
    "spread wider than the collar": (
        ("half_spread_bps = 1.0", "half_spread_bps = 500.0"),
        "limits.collar_bps is 100.0, expected at least [venue].half_spread_bps, 500",
    ),
    "a source twice": (
        ('funding = ["binance_perp", "hyperliquid_perp"]', 'funding = ["binance_perp", "binance_perp"]'),
        "market.funding names 'binance_perp' twice",
    ),
    "a fund without a name": (('name = "starter"', 'name = " "'), "name is ' ', expected a name"),
    "style": (
        ("listens = { trend = 1.0 }", 'style = "vwap"\nlistens = { trend = 1.0 }'),
        "execution.trend_follower.style is 'vwap', expected one of 'taker', 'maker', 'twap'",
    ),
    "outlook shorter than a cycle": (
        ("listens = { trend = 1.0 }", 'outlook = "59m"\nlistens = { trend = 1.0 }'),
        "execution.trend_follower.outlook is '59m', expected at least the cycle's 1h",
    ),
    "position held for less than a cycle": (
        ('longest_holding = "90d"', 'longest_holding = "5m"'),
        "execution.trend_follower.longest_holding is '5m', expected at least the cycle's 1h",
    ),
    "urgency that is no length of time": (
        ("listens = { trend = 1.0 }", 'urgency = "now"\nlistens = { trend = 1.0 }'),
        "execution.trend_follower.urgency: 'now' is not a length of time, expected a whole number and s, m, h or d, "
        "such as '5m'",
    ),
    "half-life of less than a risk bar": (
        ("listens = { trend = 1.0 }", 'volatility_half_life = "30m"\nlistens = { trend = 1.0 }'),
        "execution.trend_follower.volatility_half_life is '30m', expected at least 1h and at most 73d",
    ),
    "half-life whose window is longer than a year": (
        ("listens = { trend = 1.0 }", 'volatility_half_life = "74d"\nlistens = { trend = 1.0 }'),
        "execution.trend_follower.volatility_half_life is '74d', expected at least 1h and at most 73d",
    ),
    "typical conviction of 0": (
        ("listens = { trend = 1.0 }", "typical_conviction = 0\nlistens = { trend = 1.0 }"),
        "execution.trend_follower.typical_conviction is 0.0, expected a number > 0 and <= 1",
    ),
    "typical conviction above 1": (
        ("listens = { trend = 1.0 }", "typical_conviction = 1.1\nlistens = { trend = 1.0 }"),
        "execution.trend_follower.typical_conviction is 1.1, expected a number > 0 and <= 1",
    ),
    "diversification below 1": (
        ("listens = { trend = 1.0 }", "max_diversification = 0.5\nlistens = { trend = 1.0 }"),
        "execution.trend_follower.max_diversification is 0.5, expected a number >= 1 and <= 2.5",
    ),
    "diversification above 2.5": (
        ("listens = { trend = 1.0 }", "max_diversification = 2.6\nlistens = { trend = 1.0 }"),
        "execution.trend_follower.max_diversification is 2.6, expected a number >= 1 and <= 2.5",
    ),
    "cost factor": (
        ("listens = { trend = 1.0 }", "cost_factor = -1\nlistens = { trend = 1.0 }"),
        "execution.trend_follower.cost_factor is -1.0, expected a number >= 0",
    ),
    "cost budget": (
        ("listens = { trend = 1.0 }", "cost_budget = 0\nlistens = { trend = 1.0 }"),
        "execution.trend_follower.cost_budget is 0.0, expected a number > 0",
    ),
    "a belief about a family that is not there": (
        ("[limits]", "[evidence]\nprior_slope = { fundin = 0.02 }\n[limits]"),
        "evidence.prior_slope has no 'fundin', did you mean 'funding'?",
    ),
    "a belief about a family that no signal of the fund belongs to": (
        ("[limits]", "[evidence]\nprior_slope = { onchain = 0.02 }\n[limits]"),
        "evidence.prior_slope has no 'onchain', expected one of funding, momentum, reversal",
    ),
    "unknown kind of execution agent": (
        ("listens = { trend = 1.0 }", 'kind = "blnd"\nlistens = { trend = 1.0 }'),
        "execution.trend_follower.kind is 'blnd', expected 'blend', or module:Class",
    ),
    "execution agent of a module that is not there": (
        ("listens = { trend = 1.0 }", 'kind = "nowhere:Own"\nlistens = { trend = 1.0 }'),
        "execution.trend_follower.kind: 'nowhere:Own' cannot be imported: ModuleNotFoundError: No module named "
        "'nowhere'",
    ),
    "bar finer than a cycle": (
        ("window_bars = 720", 'bar = "5m"\nwindow_bars = 720'),
        "signals.trend.bar is '5m', expected at least the cycle's 1h",
    ),
    "bar that is no whole number of cycles": (
        ("window_bars = 720", 'bar = "90m"\nwindow_bars = 720'),
        "signals.trend.bar is '90m', expected a multiple of the cycle's 1h",
    ),
    "interval that does not divide a day": (
        ('interval = "1h"', 'interval = "7h"'),
        "market.interval is '7h', expected a length that divides an hour, or whole hours that divide a day",
    ),
    "memory of more than a year": (
        ("window_bars = 720", "window_bars = 9000"),
        "signals.trend looks back 9001 bars of 1h, expected at most 365 days",
    ),
    "setting that the agent itself refuses": (
        ("window_bars = 720", "window_bars = 1"),
        "signals.trend: Momentum: window_bars is 1, expected a whole number of at least 2",
    ),
    "unknown kind": (
        ('kind = "momentum"', 'kind = "momentun"'),
        "signals.trend.kind has no 'momentun', did you mean 'momentum'?",
    ),
    "no kind": (
        ('kind = "carry"', ""),
        "signals.carry lacks 'kind', expected a name from `podshop agents list`, or module:Class",
    ),
    "module that is not there": (
        ('kind = "carry"\nwindow_bars = 24 ', 'kind = "nowhere:Agent" '),
        "signals.carry.kind: 'nowhere:Agent' cannot be imported: ModuleNotFoundError: No module named 'nowhere'",
    ),
    "horizon": (
        ('horizon = "intraday"', 'horizon = "daily"'),
        "execution.mean_reverter.horizon is 'daily', expected one of 'scalping', 'intraday', 'swing'",
    ),
    "buffer": (
        ("buffer = 0.10", "buffer = 1"),
        "execution.trend_follower.buffer is 1.0, expected a number >= 0 and < 1",
    ),
    "stop": (("stop = 5.0", "stop = -1"), "execution.trend_follower.stop is -1.0, expected a number > 0 and <= 1000"),
    "a book called house": (
        ("[execution.mean_reverter]", "[execution.house]"),
        "execution.house: a book cannot be called 'house', the record uses that name itself",
    ),
    "confidence upside down": (
        ("close = 0.35", "close = 0.80"),
        "confidence: open 0.65 and close 0.8, expected 0 <= close <= open, open > 0",
    ),
    "ladder upside down": (
        ("out_from = 1.25", "out_from = 0.6"),
        "risk.drawdown_limiter.halve_from is 0.75, expected at most out_from, which is 0.6",
    ),
    "warned after it was halved": (
        ("halve_from = 0.75", "warn_from = 0.8\nhalve_from = 0.75"),
        "risk.drawdown_limiter.warn_from is 0.8, expected at most halve_from, which is 0.75",
    ),
    "halted before it is out": (
        ("halve_from = 0.75", "halt_from = 1.0\nhalve_from = 0.75"),
        "risk.drawdown_limiter.out_from is 1.25, expected at most halt_from, which is 1.0",
    ),
    "back above the first cut": (
        ("back_below = 0.5", "back_below = 0.8"),
        "risk.drawdown_limiter.back_below is 0.8, expected at most halve_from, which is 0.75",
    ),
    "a plain drawdown of more than everything": (
        ("halve_from = 0.75", "in_volatility = false\nhalve_from = 0.75"),
        "risk.drawdown_limiter.out_from is 1.25, expected a number > 0 and <= 1",
    ),
    "a ladder that nothing moves": (
        ("halve_from = 0.75", "most_books = 0\nhalve_from = 0.75"),
        "risk.drawdown_limiter.most_books is 0, expected a whole number >= 1 and <= 1e+06",
    ),
    "what a ladder remembers is no key": (
        ("halve_from = 0.75", "standing = 1\nhalve_from = 0.75"),
        "risk.drawdown_limiter has no 'standing', expected one of back_below, cool_off_days, day_loss, "
        "fund_volatility, half_days, halt_from, halve_from, in_volatility, most_books, most_gross, out_from, warn_from",
    ),
    "cadence of a risk agent": (
        ("[risk.drawdown_limiter]", "[risk.portfolio_monitor]\ncadence = 'daily'\n[risk.drawdown_limiter]"),
        "risk.portfolio_monitor.cadence: 'daily' is not a length of time, expected a whole number and s, m, h or d, "
        "such as '5m'",
    ),
    "off is a text": (
        ("[risk.drawdown_limiter]", "[risk.portfolio_monitor]\noff = 'yes'\n[risk.drawdown_limiter]"),
        "risk.portfolio_monitor.off is 'yes', expected true or false",
    ),
    "history that is not shown": (
        ("[risk.drawdown_limiter]", "[risk.portfolio_monitor]\nhistory_days = 1000\n[risk.drawdown_limiter]"),
        "risk.portfolio_monitor.history_days is 1000, expected a whole number >= 30 and <= 730",
    ),
    "short window that is the longer one": (
        ("[risk.drawdown_limiter]", "[risk.correlation_tracker]\nshort_days = 100\n[risk.drawdown_limiter]"),
        "risk.correlation_tracker.short_days is 100, expected at most long_days, which is 90",
    ),
    "cluster cap above 1": (
        ("[risk.drawdown_limiter]", "[risk.correlation_tracker]\nmax_cluster = 2\n[risk.drawdown_limiter]"),
        "risk.correlation_tracker.max_cluster is 2.0, expected a number > 0 and <= 1",
    ),
    "a standard risk agent has one kind": (
        ("[risk.drawdown_limiter]", "[risk.portfolio_monitor]\nkind = 'a:B'\n[risk.drawdown_limiter]"),
        "risk.portfolio_monitor has no 'kind', expected one of history_days",
    ),
    "kind of a risk agent": (
        ("[risk.drawdown_limiter]", "[risk.mine]\nkind = 'mine'\n[risk.drawdown_limiter]"),
        "risk.mine.kind is 'mine', expected module:Class",
    ),
    "a risk agent called as the file's limits": (
        ("[risk.drawdown_limiter]", "[risk.'fund file']\nkind = 'a:B'\n[risk.drawdown_limiter]"),
        "risk.fund file: a risk agent cannot be called 'fund file', the limits of the file are called so",
    ),
    "no order is large enough": (
        ("max_var = 0.02", "max_order = 0.0005\nmax_var = 0.02"),
        "limits.min_order_usd is 100.0, expected less than the largest order, 50 USD",
    ),
    "net above 1": (
        ("max_var = 0.02", "max_net = 1.01\nmax_var = 0.02"),
        "limits.max_net is 1.01, expected a number > 0 and <= 1",
    ),
    "unknown policy": (
        ('kind = "shrunk"', 'kind = "best"'),
        "treasury.allocator.kind is 'best', expected one of 'article', 'equal', 'hrp', 'inverse_vol', 'shrunk'",
    ),
    "operator": (
        ('operator = "never"', 'operator = "sometimes"'),
        "operator is 'sometimes', expected 'never', or a length of time such as '30d'",
    ),
    "no capital": (("capital_usd = 100_000", "capital_usd = 0"), "capital_usd is 0, expected a number > 0"),
    "lot of a market that is not there": (
        ("participation = 0.10 ", "lots = { SOL = 1 } "),
        "venue.lots has no 'SOL', expected one of ADA, BTC, ETH, LTC, XRP",
    ),
    "lot of 0": (
        ("participation = 0.10 ", "lots = { BTC = 0 } "),
        "venue.lots is {'BTC': 0}, expected a table, each a number > 0",
    ),
    "not TOML": (
        ('name = "starter"', "name = starter"),
        "is not TOML: Invalid value (at line 7, column 8)",
    ),
}


@pytest.mark.parametrize(("edit", "message"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_one_line(tmp_path, edit, message):
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, edited(edit))
    file = str(tmp_path / "fund.toml")
    assert str(caught.value) == (f"{file}{message}" if message.startswith(" ") else f"{file}: {message}")
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"nothing\.toml: cannot be read: No such file or directory$"):
        load(tmp_path / "nothing.toml")
    with pytest.raises(ConfigError, match=r"cannot be read: Is a directory$"):
        load(tmp_path)
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="is not UTF-8 text"):
        load(tmp_path / "binary.toml")


def test_an_agent_of_ones_own_stands_beside_the_fund_file(tmp_path):
    (tmp_path / "my_own_agents.py").write_text(OWN_AGENT)
    mine = ('kind = "momentum" ', 'kind = "my_own_agents:Own" '), ("window_bars = 720", "threshold = 1")
    fund = read(tmp_path, edited(*mine))
    assert (fund.signals[0].agent.bar, fund.signals[0].agent.threshold) == ("4h", 1.0)
    assert str(tmp_path) not in sys.path
    with pytest.raises(ConfigError, match=r"signals\.trend has no 'treshold', did you mean 'threshold'\?$"):
        read(tmp_path, edited(mine[0], ("window_bars = 720", "treshold = 1")))
    with pytest.raises(ConfigError, match="is not a signal agent, expected a dataclass"):
        read(tmp_path, edited(('kind = "momentum" ', 'kind = "my_own_agents:NoDataclass" ')))


def test_a_mandate_may_decide_more_often_than_there_are_bars_and_the_fund_says_so(tmp_path):
    fund = read(
        tmp_path, edited(('cadence = "4h" ', 'cadence = "30s" '), ("stop = 5.0 ", "urgency = '5m'\nstop = 5.0 "))
    )
    assert (fund.mandates[0].cadence, fund.mandates[0].urgency) == ("30s", "5m")
    assert coarse(fund) == ["trend_follower is meant to decide every 30s; on bars of 1h it decides every 1h"]
    assert coarse(read(tmp_path, starter())) == []  # one of them decides every hour, as often as there are bars


@pytest.mark.parametrize("half_life", ["1h", "73d"])
def test_the_shortest_and_the_longest_half_life_are_allowed(tmp_path, half_life):
    line = f'volatility_half_life = "{half_life}"\nlistens = {{ trend = 1.0 }}'
    assert read(tmp_path, edited(("listens = { trend = 1.0 }", line))).mandates[0].volatility_half_life == half_life


def test_a_belief_about_a_family_of_the_fund_is_read(tmp_path):
    fund = read(tmp_path, edited(("[limits]", "[evidence]\nprior_slope = { momentum = 0.02 }\n[limits]")))
    assert fund.evidence.prior_slope == {"momentum": 0.02}


def test_lots_and_smallest_orders_can_be_set(tmp_path):
    fund = read(tmp_path, edited(("participation = 0.10 ", "lots = { BTC = 0.001 }\nmin_notional_usd = { ETH = 25 } ")))
    btc, eth = fund.instruments[:2]
    assert (btc.lot_size, btc.min_notional_usd) == (0.001, 10.0)
    assert (eth.lot_size, eth.min_notional_usd) == (1e-4, 25.0)


def test_the_hash_is_of_what_the_fund_is_not_of_how_it_is_written(tmp_path):
    fund = read(tmp_path, starter())
    without_comments = "\n".join(line.split(" #")[0] for line in starter().splitlines() if not line.startswith("#"))
    assert read(tmp_path, without_comments).sha256 == fund.sha256
    assert read(tmp_path, edited(("max_var = 0.02", "max_var = 0.021"))).sha256 != fund.sha256
    # The order of markets is the order of arrays and of rows, so it is part of what the fund is.
    assert read(tmp_path, edited(('["BTC", "ETH"', '["ETH", "BTC"'))).sha256 != fund.sha256


def test_the_hash_is_the_same_in_another_process(tmp_path):
    mine = read(tmp_path, starter()).sha256
    file = str(tmp_path / "fund.toml")
    code = f"from pathlib import Path; from podshop.run.config import load; print(load(Path({file!r})).sha256)"
    env = os.environ | {"PYTHONHASHSEED": "7", "PYTHONPATH": str(ROOT / "src")}
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=env)
    assert other.stdout.strip() == mine


def test_the_canonical_fund_is_plain_data_with_every_default(tmp_path):
    whole = canonical(read(tmp_path, edited(("[confidence] ", "# "), ("open = 0.65 ", "# "), ("close = 0.35 ", "# "))))
    assert whole["confidence"] == {"open": 0.65, "close": 0.35}
    assert whole["signals"][0]["agent"] == {"bar": "1h", "window_bars": 720}


def test_three_risk_agents_sit_in_every_fund_unless_they_are_sent_off(tmp_path):
    names = ["drawdown_limiter", "portfolio_monitor", "correlation_tracker"]
    fund = read(
        tmp_path,
        edited(("[risk.drawdown_limiter] ", "# "), ("halve_from", "# "), ("out_from", "# "), ("back_below", "# ")),
    )
    assert [(seat.name, seat.kind, seat.cadence) for seat in fund.risk] == list(
        zip(names, names, ("1h", "1d", "1d"), strict=True)
    )
    assert fund.risk == read(tmp_path, starter()).risk
    off = edited(("[risk.drawdown_limiter]", "[risk.correlation_tracker]\noff = true\n[risk.drawdown_limiter]"))
    fewer = read(tmp_path, off)
    assert [seat.name for seat in fewer.risk] == names[:2]
    assert fewer.sha256 != fund.sha256


def test_a_risk_agent_of_ones_own_sits_beside_the_three(tmp_path):
    (tmp_path / "my_own_risk.py").write_text(OWN_RISK)

    def seated(lines: str) -> Fund:
        return read(tmp_path, edited(("[risk.drawdown_limiter]", f"[risk.weekends]\n{lines}\n[risk.drawdown_limiter]")))

    fund = seated('kind = "my_own_risk:Quiet"\nweekend_gross = 0.25\ncadence = "4h"')
    seat = fund.risk[-1]
    assert (len(fund.risk), seat.name, seat.kind, seat.cadence) == (4, "weekends", "my_own_risk:Quiet", "4h")
    assert seat.agent.weekend_gross == 0.25
    for lines, said in (
        (
            'kind = "my_own_risk:Quiet"\nweekend_gros = 1',
            "risk.weekends has no 'weekend_gros', did you mean 'weekend_gross'?",
        ),
        ('kind = "my_own_risk:Quiet"\nlooks = 1', "risk.weekends has no 'looks'"),
        ('kind = "my_own_risk:NoDataclass"', "is not a risk agent, expected a dataclass with a call of one view"),
        ('kind = "my_own_risk:Greedy"', "has a setting 'cadence', which every risk agent's table has: rename it"),
        ('kind = "nowhere:Quiet"', "cannot be imported: ModuleNotFoundError: No module named 'nowhere'"),
        ("", "risk has no 'weekends', expected one of correlation_tracker, drawdown_limiter, portfolio_monitor; an"),
    ):
        with pytest.raises(ConfigError, match=re.escape(said)):
            seated(lines)


def test_what_a_risk_agent_remembers_is_no_part_of_what_a_fund_is(tmp_path):
    (tmp_path / "my_own_risk.py").write_text(OWN_RISK)
    text = edited(("[risk.drawdown_limiter]", '[risk.mine]\nkind = "my_own_risk:Quiet"\n[risk.drawdown_limiter]'))
    fund = read(tmp_path, text)
    before = canonical(fund)
    assert before["risk"][-1] == {
        "name": "mine", "kind": "my_own_risk:Quiet", "agent": {"weekend_gross": 0.5}, "cadence": "1d"
    }  # fmt: skip
    fund.risk[0].agent.standing = "somewhere"
    fund.risk[-1].agent.looks = 7
    assert canonical(fund) == before
    assert "standing" not in before["risk"][0]["agent"]


@pytest.mark.parametrize("name", tables())
def test_every_key_says_what_it_means(name):
    cls, hidden = tables()[name]
    for key in {f.name for f in fields(cls) if f.init} - set(hidden):
        assert meaning(cls, key), f"the docstring of {cls.__name__} says nothing about {key!r}"


def test_a_key_without_a_line_in_the_docstring_has_no_meaning():
    class Silent:
        """Nothing here.

        spoken  this one is documented,
                on two lines
        """

    assert meaning(Silent, "spoken") == "this one is documented, on two lines"
    assert not meaning(Silent, "quiet")


def test_the_readme_lists_every_key():
    assert reference() in (ROOT / "README.md").read_text(encoding="utf-8")
