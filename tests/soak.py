"""`make soak`: what the long tests found is kept, line by line, so that a campaign that was cut short goes on.

PODSHOP_SOAK names the folder. Each long test leaves one line in results.jsonl: its name, outcome, seconds, the commit,
and what it counted (`record_property`). What passed at this commit, with nothing changed since, is not run again.
"""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest


def folder() -> Path | None:
    """Where results are kept; None where nobody asked."""
    named = os.environ.get("PODSHOP_SOAK")
    return Path(named) if named else None


def commit() -> str:
    """The commit under test, with `+` where the tree holds changes beside it."""

    def git(*words: str) -> str:
        return subprocess.run(["git", *words], capture_output=True, text=True, check=False).stdout.strip()

    return git("rev-parse", "--short", "HEAD") + ("+" if git("status", "--porcelain", "--untracked-files=no") else "")


def passed(kept: Path, at: str) -> set[str]:
    """Names of the tests that passed at this commit; none where the tree is not what was committed."""
    if at.endswith("+") or not (kept / "results.jsonl").is_file():
        return set()
    lines = map(json.loads, (kept / "results.jsonl").read_text(encoding="utf-8").splitlines())
    return {line["test"] for line in lines if line["commit"] == at and line["outcome"] == "passed"}


def without_those_passed(items: list[pytest.Item]) -> Iterator[pytest.Item]:
    """The tests that are still to be run."""
    kept = folder()
    done = passed(kept, commit()) if kept else set()
    return (item for item in items if item.nodeid not in done)


def keep(report: pytest.TestReport) -> None:
    """Write what a long test came to."""
    kept = folder()
    if kept is None or report.when != "call" or "soak" not in report.keywords:
        return
    kept.mkdir(parents=True, exist_ok=True)
    line: dict[str, Any] = {
        "test": report.nodeid,
        "outcome": report.outcome,
        "seconds": round(report.duration, 1),
        "commit": commit(),
        "counted": dict(report.user_properties),
    }
    with (kept / "results.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")
