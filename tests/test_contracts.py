"""The import contracts of pyproject.toml hold, and each kind of breach is caught."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def copy(tmp_path):
    """The package and its contracts, free to be broken."""
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run import-linter as `make check` does."""
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-logo", "--no-cache"]
    env = os.environ | {"PYTHONPATH": str(folder / "src")}
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)


def test_the_contracts_hold(copy):
    done = lint(copy)
    assert done.returncode == 0, done.stdout
    assert "2 kept, 0 broken" in done.stdout


@pytest.mark.parametrize(
    ("package", "line", "caught"),
    [
        ("signals", "import time", "podshop.signals is not allowed to import time"),
        ("maths", "from random import random", "podshop.maths is not allowed to import random"),
        ("market", "import polars", "podshop.market is not allowed to import polars"),
        ("report", "from pathlib import Path", "podshop.report is not allowed to import pathlib"),
        ("risk", "import podshop.signals", "podshop.risk is not allowed to import podshop.signals"),
        ("nouns", "import podshop.maths", "podshop.nouns is not allowed to import podshop.maths"),
        ("journal", "import podshop.feeds", "podshop.journal is not allowed to import podshop.feeds"),
        ("run", "import podshop.cli", "podshop.run is not allowed to import podshop.cli"),
    ],
)
def test_a_breach_is_caught(copy, package, line, caught):
    planted = copy / "src" / "podshop" / package / "__init__.py"
    planted.write_text(f"{planted.read_text(encoding='utf-8')}\n{line}\n", encoding="utf-8")
    done = lint(copy)
    assert done.returncode == 1
    assert caught in done.stdout
