"""The VaR that limits the fund, on four and a half years of real days: as many bad ones as it says, not in a row."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from podshop.cli import risk
from podshop.report.var_test import PASSES, REJECTED, accepted
from podshop.research import var_history as study
from podshop.research.var_history import LARGEST, forecasts, judged, read, var_history

LONG = "long"


@pytest.fixture(scope="module")
def found(shared_data: Path) -> dict[str, Any]:
    return var_history(shared_data, [LONG], lambda done, total, text: None)


def levels(found: dict[str, Any], method: str) -> dict[float, dict[str, Any]]:
    (portfolio,) = found["portfolios"]
    (one,) = (one for one in portfolio["methods"] if one["name"] == method)
    return {level["level"]: level for level in one["levels"]}


def test_there_are_days_enough_to_tell(found: dict[str, Any]) -> None:
    assert found["days"] >= 1460
    assert (found["since"][:10], found["until"][:10]) == ("2020-01-01", "2024-07-01")
    for level in levels(found, LARGEST).values():
        assert level["days"] == found["days"] >= level["days_needed"]
        assert sum(year["exceedances"] for year in level["years"]) == level["exceedances"]


@pytest.mark.parametrize("method", [LARGEST, "historical", "cornish_fisher"])
@pytest.mark.parametrize("level", [0.95, 0.99])
def test_exceedances_are_as_many_as_claimed_and_not_in_a_row(found: dict[str, Any], method: str, level: float) -> None:
    """Kupiec's 95 % band, Christoffersen's independence, and both at once."""
    tested = levels(found, method)[level]
    fewest, most = accepted(tested["days"], 1 - level)
    assert fewest <= tested["exceedances"] <= most
    assert tested["kupiec"]["lr"] < 3.84
    assert tested["independence"]["lr"] < 3.84
    assert tested["joint"]["lr"] < 5.99
    assert tested["verdict"] == PASSES
    assert tested["zone"] == "green"


@pytest.mark.parametrize("level", [0.95, 0.99])
def test_a_var_of_seven_tenths_is_rejected(found: dict[str, Any], level: float) -> None:
    assert levels(found, LARGEST)[level]["control"]["verdict"] == REJECTED


def test_the_normal_is_true_at_95_and_too_thin_at_99(found: dict[str, Any]) -> None:
    """Why there are three methods: docs/risk.md."""
    normal = levels(found, "parametric")
    assert normal[0.95]["verdict"] == PASSES
    assert normal[0.99]["why"] == ["too many"]


def test_the_command_prints_a_line_for_each_method(found: dict[str, Any]) -> None:
    lines = risk._history(found).splitlines()
    assert [line.split()[:2] for line in lines[3:]] == [
        ["long,", name] for name in ("parametric", "historical", "cornish_fisher", "largest", "largest")
    ]
    assert "(too many)" in lines[3]
    assert lines[-1].count("rejected") == 2


def test_a_forecast_knows_nothing_later(shared_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Prices after a midnight are replaced by others: what was said until then stays."""
    monkeypatch.setattr(study, "UNTIL", study.JUDGED_FROM.replace(month=2))
    prices = read(shared_data)
    first, ends = judged(prices)
    said = forecasts(prices, ends, first, np.array(study.PORTFOLIOS[LONG]))
    day = 10
    cut = ends[first + day] + 1
    mark, bars = prices.mark.copy(), prices.bars.copy()
    mark[cut:] *= 3.0
    bars[cut:] *= -2.0
    other = forecasts(prices._replace(mark=mark, bars=bars), ends, first, np.array(study.PORTFOLIOS[LONG]))
    for method, by_level in said.items():
        for level, var in by_level.items():
            assert other[method][level][: day + 1] == pytest.approx(var[: day + 1], rel=1e-12), (method, level)
    assert np.abs(other[LARGEST][0.95] / said[LARGEST][0.95] - 1)[day + 1 :].min() > 0.01
