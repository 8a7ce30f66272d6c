"""What is taken elsewhere is the journal: tables row for row, and plain text whose balances another reader finds."""

import re
import shutil
import subprocess
import sys
from collections import defaultdict
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from podshop.journal import export as module
from podshop.journal.beancount import Names
from podshop.journal.export import export
from podshop.journal.flat import tables_of
from podshop.journal.keeper import Keeper, rebuild
from podshop.journal.store import reading, rows
from tests.ledger.fund_facts import Telling


@pytest.fixture
def path(tmp_path) -> Path:
    with Keeper(tmp_path / "fund.journal", create=True) as books:
        for batch in Telling(13).cycles(700):
            books.append(batch)
    return tmp_path / "fund.journal"


@pytest.mark.parametrize("piece", [100, 10**6])
@pytest.mark.parametrize("to", ["parquet", "csv"])
def test_tables_hold_every_row_whatever_the_pieces(path, tmp_path, to, piece, monkeypatch):
    monkeypatch.setattr(module, "PIECE", piece)
    files = export(path, tmp_path / "out", to)
    with reading(path) as db:
        tables = tables_of(rows(db))
    assert {file.name for file in files} == {f"{name}.{to}" for name in tables}
    assert {file.name for file in (tmp_path / "out").iterdir()} == {file.name for file in files}
    for name, values in tables.items():
        frame = pl.read_parquet(tmp_path / "out" / f"{name}.parquet") if to == "parquet" else None
        if frame is None:
            frame = pl.read_csv(tmp_path / "out" / f"{name}.csv", infer_schema_length=None)
        found = frame.drop("time").rows()
        assert [tuple(map(str, row)) for row in found] == [tuple(map(str, row)) for row in values]
        assert frame["time"].len() == len(values)


def parsed(text: str) -> tuple[dict[tuple[str, str], Decimal], int]:
    """Read the subset of beancount that is written, on its own; holds transactions and balances; answers both."""
    opened, sums, day, asserted = {}, defaultdict(Decimal), "", 0
    open_one: dict[str, Decimal] = {}
    for line in text.splitlines():
        if posting := re.fullmatch(r"  ([A-Z][\w:-]+)  (-?[\d.]+) ([A-Z][A-Z0-9.-]+)", line):
            account, amount, commodity = posting.groups()
            assert opened[account] == (commodity, opened[account][1])
            assert opened[account][1] <= day
            sums[account, commodity] += Decimal(amount)
            open_one[commodity] = open_one.get(commodity, Decimal()) + Decimal(amount)
            continue
        assert not any(open_one.values()), f"before {line!r}: {open_one}"
        open_one = {}
        if found := re.fullmatch(r"(\d{4}-\d\d-\d\d) open (\S+) (\S+)", line):
            assert found[2] not in opened
            opened[found[2]] = (found[3], found[1])
        elif found := re.fullmatch(r'(\d{4}-\d\d-\d\d) \* ".+"', line):
            assert found[1] >= day
            day = found[1]
        elif found := re.fullmatch(r"(\d{4}-\d\d-\d\d) balance (\S+)  (-?[\d.]+) ~ 0 (\S+)", line):
            assert found[1] > day
            assert sums[found[2], found[4]] == Decimal(found[3]), line
            asserted += 1
        else:
            assert re.fullmatch(r'|option "\w+" ".+"|\d{4}-\d\d-\d\d price \S+  [\d.]+ USD', line), line
    return dict(sums), asserted


def test_the_plain_text_balances_to_the_micro_dollar(path, tmp_path):
    (file,) = export(path, tmp_path / "out", "beancount")
    sums, asserted = parsed(file.read_text(encoding="utf-8"))
    books = rebuild(path).books
    assert sums["Assets:Venue:Cash", "USD"] == Decimal(books.balances["venue:cash"]) / 1_000_000
    assert sums["Equity:Books:Trend:Lots:BTC", "BTC.LOT"] == -books.lots("trend", "BTC")
    assert sums["Expenses:Fees:House", "USD"] == Decimal(books.balances["book:house:fees"]) / 1_000_000
    assert asserted == len(sums)


def test_mutant_a_changed_amount_is_found(path, tmp_path):
    (file,) = export(path, tmp_path / "out", "beancount")
    text = file.read_text(encoding="utf-8")
    amount = re.search(r"Assets:Venue:Cash  (-?[\d.]+) USD", text)
    with pytest.raises(AssertionError):
        parsed(text[: amount.end(1) - 1] + str((int(text[amount.end(1) - 1]) + 1) % 10) + text[amount.end(1) :])


def test_bean_check_agrees(path, tmp_path):
    """The program itself, which the tests install."""
    (file,) = export(path, tmp_path / "out", "beancount")
    program = shutil.which("bean-check", path=str(Path(sys.executable).parent)) or shutil.which("bean-check")
    if program is None:
        pytest.skip("no bean-check here: pip install beancount")
    good = subprocess.run([program, file], capture_output=True, text=True, check=False)
    assert (good.returncode, good.stderr) == (0, "")
    text = file.read_text(encoding="utf-8")
    file.write_text(
        re.sub(r"(balance Assets:Venue:Cash  -?\d+\.\d{5})(\d)", lambda m: m[1] + str((int(m[2]) + 1) % 10), text)
    )
    assert subprocess.run([program, file], capture_output=True, check=False).returncode == 1


def test_no_two_names_are_spelled_the_same():
    names = Names()
    ours = ["trend_a", "trend-a", "trend a", "Trend-a", "9lives", "_x", "-x"]
    spelled = [names.account(f"book:{name}:capital") for name in ours]
    assert len(set(spelled)) == len(ours)
    assert all(re.fullmatch(r"Equity:Books:[A-Z0-9][A-Za-z0-9-]*:Capital", name) for name in spelled)
    assert [names.account(f"book:{name}:capital") for name in ours] == spelled
    coins = [names.commodity(coin) for coin in ("BTC", "btc", "kPEPE", "KPEPE", "1000BONK", "A" * 30, "A" * 31)]
    assert len(set(coins)) == len(coins)
    assert all(re.fullmatch(r"[A-Z][A-Z0-9'._-]{0,22}[A-Z0-9]", coin) for coin in coins)
