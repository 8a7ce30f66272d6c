"""A paper fund that has just been made."""

import pytest

from podshop.live import folder
from podshop.run.config import load, starter


@pytest.fixture
def gateway(tmp_path, monkeypatch):
    """A paper fund that has just been made."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "home"))
    path = tmp_path / "fund.toml"
    path.write_text(starter(), encoding="utf-8")
    return folder.prepare(path, load(path), tmp_path / "s", "simulated")
