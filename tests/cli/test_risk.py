"""`podshop risk` says of a finished record what its rows say, counted here by plain loops."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from podshop.cli import main
from podshop.cli.risk import measure, read
from podshop.journal.record import Recorder
from podshop.nouns import DAY_NS, DataError, utc_text
from podshop.risk import var
from podshop.risk.monitor import shrunk_covariance
from tests.journal.made_up import BOOKS, MARKETS, NAMES, MadeUp

SINCE_NS = 19_723 * DAY_NS
DAYS = 70
RESULT = {
    "fund": "made up",
    "simulated": True,
    "period": {"interval": "1h"},
    "limits": {"max_weight": 0.05, "max_gross": 1.0, "max_var": 0.02, "min_order_usd": 100.0},
}


def recorded(folder: Path, days: int) -> dict[str, dict[str, np.ndarray]]:
    tables = MadeUp(seed=3).run(SINCE_NS, 24 * days)
    with Recorder(folder, NAMES) as recorder:
        for table, columns in tables.items():
            recorder.write(table, columns)
        recorder.close()
        recorder.finish(RESULT, "")
    return tables


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    folder = tmp_path_factory.mktemp("record")
    return folder, recorded(folder, DAYS)


def test_what_is_held_is_what_the_fills_sum_to(record: tuple[Path, dict[str, Any]]) -> None:
    folder, tables = record
    fills, marks, nav = tables["fills"], tables["marks"], tables["nav"]["nav_micro"][-1]
    held = read(folder)[1]
    assert (held.at_ns, held.nav_micro) == (SINCE_NS + DAYS * DAY_NS, nav)
    found = {(b, m): held.weights[i, j] for i, b in enumerate(held.books) for j, m in enumerate(held.markets)}
    for b, book in enumerate(BOOKS):
        for m, market in enumerate(MARKETS):
            lots = sum(
                n for n, i, j in zip(fills["lots"], fills["book"], fills["market"], strict=True) if (i, j) == (b, m)
            )
            mark = [p for p, j in zip(marks["mark_micro"], marks["market"], strict=True) if j == m][-1]
            assert found.get((book, market), 0.0) == pytest.approx(int(lots) * int(mark) / nav)
    assert np.abs(held.weights).sum() > 0


def test_without_shrinkage_the_covariance_is_the_gates(record: tuple[Path, dict[str, Any]]) -> None:
    """Half-life of ten days over fifty days of hours, by the recursion that the gate uses."""
    from podshop.risk.covariance import covariances

    held = read(record[0])[1]
    returns = np.diff(np.log(held.mark), axis=0)
    gate = covariances(np.ascontiguousarray(returns), len(returns) - 1, 50 * 24, 0.5 ** (1 / 240), 24.0)[-1]
    found = shrunk_covariance(returns, 24.0)
    assert found is not None
    assert 0 < found.intensity <= 1
    assert np.diag(found.covariance) == pytest.approx(np.diag(gate), rel=1e-9)  # shrinking leaves variances alone
    x, weight = returns[-50 * 24 :], var.ewma_weights(50 * 24, 240)
    assert 24 * x.T @ (weight[:, None] * x) == pytest.approx(gate, rel=1e-9)


def test_the_answer_adds_up(record: tuple[Path, dict[str, Any]], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["risk", str(record[0]), "--json"]) == 0
    printed = capsys.readouterr()
    found = json.loads(printed.out)
    assert (found["time"], found["days"]) == (utc_text(SINCE_NS + DAYS * DAY_NS), DAYS - 10)
    tails = found["tails"]
    normal = tails["parametric"]
    assert 0 < normal["0.95"]["var"] < normal["0.95"]["es"] < normal["0.99"]["es"]
    whole = max(tail["0.95"]["var"] for tail in tails.values())
    assert sum(row["component"] for row in found["markets"]) == pytest.approx(whole)
    assert sum(row["component"] for row in found["books"]) == pytest.approx(whole)
    assert sum(row["share"] for row in found["books"]) == pytest.approx(1)
    assert tails["historical"]["0.95"] is not None is tails["historical"]["0.99"]  # sixty days
    assert tails["cornish_fisher"]["0.99"] is None
    limits = {row["name"]: row for row in reversed(found["limits"])}  # the fullest weight last
    assert all(row["left"] == pytest.approx(row["bound"] - row["used"]) for row in found["limits"])
    assert limits["max_var"]["used"] == max(tail["0.95"]["var"] for tail in tails.values() if tail["0.95"])
    assert limits["max_gross"]["used"] == pytest.approx(sum(abs(row["weight"]) for row in found["markets"]))
    assert limits["max_weight"]["used"] == pytest.approx(max(abs(row["weight"]) for row in found["markets"]))
    assert found["gate_var"] is None  # the made-up fund has none
    assert "SIMULATED" in printed.err
    assert "unknown" in printed.err
    assert "max_gross, all" in printed.err


def test_a_week_is_too_short_to_say(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recorded(tmp_path, 7)
    found = measure(*read(tmp_path))
    assert all(tail is None for by_level in found["tails"].values() for tail in by_level.values())
    assert found["limits"][0]["left"] is None
    assert main(["risk", str(tmp_path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["books"][0]["component"] is None


def test_nothing_held_is_nothing_at_risk(tmp_path: Path) -> None:
    tables = MadeUp(seed=3).run(SINCE_NS, 24)
    with Recorder(tmp_path, NAMES) as recorder:
        for table in ("nav", "marks"):
            recorder.write(table, tables[table])
        recorder.close()
        recorder.finish(RESULT, "")
    found = measure(*read(tmp_path))
    assert found["tails"]["historical"]["0.99"] == {"var": 0.0, "es": 0.0}
    assert [row["used"] for row in found["limits"]] == [0.0, 0.0]
    assert found["markets"] == found["books"] == []


def test_what_is_no_record_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["risk", str(tmp_path)]) == 2
    assert "no result.json" in capsys.readouterr().err
    recorded(tmp_path, 2)
    (tmp_path / "marks.parquet").write_bytes(b"PAR1 no more")
    with pytest.raises(DataError, match="cannot be read"):
        read(tmp_path)
    (tmp_path / "marks.parquet").unlink()
    assert main(["risk", str(tmp_path)]) == 2


def test_a_run_or_the_history_not_both(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = ["--data", str(tmp_path)]
    for wrong in ([], ["--history"], ["--stress"], [str(tmp_path), *data], ["--history", "--stress", *data],
                  [str(tmp_path), "--history", *data]):  # fmt: skip
        assert main(["risk", *wrong]) == 2
        assert "podshop risk wants one of" in capsys.readouterr().err
