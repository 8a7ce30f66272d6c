"""What every test may ask for: the real history, and how many random examples to try."""

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings

from tests import soak

settings.register_profile("default", deadline=None)
settings.register_profile("soak", deadline=None, max_examples=10_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


os.environ.setdefault("PODSHOP_TRIALS", tempfile.mkdtemp(prefix="podshop-trials-"))  # never the user's own ledger


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of real history: PODSHOP_DATA, or ../shared/data beside the clone. Absent, the test fails."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    folder = Path(os.environ.get("PODSHOP_DATA", beside))
    if not (folder / "bars").is_dir():
        pytest.fail(f"no market data in {folder}: set PODSHOP_DATA to a folder that holds bars/ and funding/")
    return folder


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """`make soak` does not repeat what has passed."""
    items[:] = soak.without_those_passed(items)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """`make soak` keeps what the long tests counted."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        soak.keep(report)
