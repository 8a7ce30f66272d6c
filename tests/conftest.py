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


# Real processes under real time, and what is measured by the clock: they run after the others, one at a time.
ALONE = (
    "live/real/",
    "live/ops/test_alone",
    "live/ops/test_drill",
    "live/ops/test_processes",
    "live/brain/test_process",
    "live/brain/test_shadow",
    "live/brain/test_speed",
    "live/brain/test_workers",
    "live/gateway/test_process",
    "live/gateway/test_speed",
    "journal/test_speed",
    "research/test_contract",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """`make soak` does not repeat what has passed; what needs the machine for itself is marked."""
    items[:] = soak.without_those_passed(items)
    here = Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(here) and item.path.relative_to(here).as_posix().startswith(ALONE):
            item.add_marker(pytest.mark.alone)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """`make soak` keeps what the long tests counted."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        soak.keep(report)
