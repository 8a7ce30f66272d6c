"""The summary of a run says what it is worth, not only what it earned."""

import pytest

from podshop.report.summary import SIMULATED, summary

RESULT = {
    "fund": "starter",
    "simulated": False,
    "period": {
        "since": "2022-01-01T00:00:00Z",
        "until": "2024-07-01T00:00:00Z",
        "interval": "1h",
        "cycles": 21_888,
    },
    "speed": {"seconds": 2.5, "compile_seconds": 0.0, "cycles_per_second": 8_755.0, "peak_rss_mb": 512.0},
    "nav": {"start": 100_000.0, "end": 104_321.5},
    "stats": {
        "return": 0.043215,
        "gross_return": 0.09,
        "volatility": 0.052,
        "sharpe": 0.33,
        "sharpe_low": -0.9,
        "sharpe_high": 1.56,
        "max_drawdown": 0.061,
    },
    "costs": {"fees": 2345.678, "slippage": 1234.5, "funding": -321.0, "crossing_saved": 432.1},
    "tca": {
        "total": {
            "delay": -321.0,
            "half_spread": 1000.0,
            "impact": 234.5,
            "fee": 2345.678,
            "opportunity": 100.0,
            "shortfall": 3359.178,
            "traded": 6_000_000.0,
            "bps": 5.59863,
        }
    },
    "orders": {
        "wanted": 12_345,
        "approved": 11_000,
        "shrunk": 500,
        "vetoed": 845,
        "by_code": {"MIN_ORDER": 600, "POSITION_CAP": 745, "A": 1, "B": 2, "C": 3, "D": 4, "E": 5},
    },
    "books": {"count": 3, "residual_lots": 0, "residual_micro": 0},
    "var": {
        "limit": 0.02,
        "worst": 0.009,
        "days": 900,
        "breaches": 31,
        "test": {
            "levels": [
                {
                    "level": 0.95,
                    "days_needed": 267,
                    "periods": [
                        {"name": "2022", "verdict": "passes", "why": [], "days": 365},
                        {"name": "all", "verdict": "rejected", "why": ["too few", "in a row"], "days": 900},
                    ],
                },
                {
                    "level": 0.99,
                    "days_needed": 1406,
                    "periods": [
                        {"name": "all", "verdict": "too few days to tell", "why": [], "days": 900},
                    ],
                },
            ]
        },
    },
    "decisions_sha256": "3f" * 32,
    "assumed_funding_share": {"BTC": 0.0, "OP": 1.0},
    "trials": None,
}


def test_the_whole_summary_of_a_run():
    assert summary(RESULT) == (
        "starter: 2022-01-01 to 2024-07-01, every 1h, 21,888 cycles\n"
        "\n"
        "  NAV         100,000.00 -> 104,321.50 USD\n"
        "  return      +4.32 % net of all costs in 2.50 years of 365 days\n"
        "              +9.00 % gross: before fees, slippage and funding\n"
        "  volatility  5.20 % a year\n"
        "  Sharpe      0.33 net; 90 % interval -0.90 to 1.56; trials not counted before the trials ledger\n"
        "  drawdown    6.10 % at worst\n"
        "  costs       fees 2,345.68, slippage 1,234.50 USD\n"
        "  funding     paid 321.00 USD\n"
        "              of it assumed, where nobody has a record of the hour: OP 100.00 %\n"
        "  crossing    saved 432.10 USD, no part of NAV\n"
        "  shortfall   3,359.18 USD against paper, 5.60 bps of 6,000,000 traded\n"
        "              delay -321.00, half-spread 1,000.00, impact 234.50, fees 2,345.68, opportunity 100.00\n"
        "  VaR         1 day 95 %: limit 2.00 % of NAV, highest 0.90 %\n"
        "              31 of 900 days lost more; 45 would be usual\n"
        "              tested by Kupiec and Christoffersen: 95 % rejected (too few, in a row); "
        "99 % too few days to tell (900 of 1,406)\n"
        "  orders      12,345 wanted: 11,000 approved, 500 shrunk, 845 vetoed\n"
        "              POSITION_CAP 745, MIN_ORDER 600, E 5, D 4, C 3, B 2 and 1 other codes\n"
        "  books       3 and the house; they differ from the venue by 0 lots and 0 micro-dollars\n"
        f"  decisions   sha256 {'3f' * 32}\n"
        "  speed       2.5 s, of which compiling 0.0 s; 8,755 cycles a second, 512 MB"
    )


def test_a_simulated_run_is_called_simulated_before_any_figure():
    lines = summary(RESULT | {"simulated": True}).splitlines()
    assert lines[1] == SIMULATED
    assert not any("%" in line for line in lines[:1])


@pytest.mark.parametrize("unknown", [None, float("nan")])
def test_what_is_unknown_is_called_unknown(unknown):
    stats = dict.fromkeys(RESULT["stats"], unknown)
    text = summary(RESULT | {"stats": stats})
    assert "Sharpe      unknown net; 90 % interval unknown to unknown" in text
    assert "nan" not in text.lower().replace("unknown", "")
