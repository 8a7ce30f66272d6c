"""A long campaign that was cut short goes on where it was, and not over what changed since."""

import json
from pathlib import Path

from tests.soak import passed

AT = "abc1234"


def kept(folder: Path, **line: str) -> Path:
    whole = {"test": "tests/x.py::test_long", "outcome": "passed", "commit": AT, "counted": {}} | line
    (folder / "results.jsonl").write_text(json.dumps(whole) + "\n", encoding="utf-8")
    return folder


def test_what_passed_at_this_commit_is_not_run_again(tmp_path: Path) -> None:
    assert passed(kept(tmp_path), AT) == {"tests/x.py::test_long"}


def test_all_else_is(tmp_path: Path) -> None:
    assert passed(tmp_path, AT) == set()
    assert passed(kept(tmp_path, outcome="failed"), AT) == set()
    assert passed(kept(tmp_path, commit="fff0000"), AT) == set()
    assert passed(kept(tmp_path, commit=AT + "+"), AT + "+") == set()  # a changed tree is not one thing
