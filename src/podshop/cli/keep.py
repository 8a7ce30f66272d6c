"""podshop service, backup, restore, upgrade: what keeps a fund for months."""

import sys
import time
from getpass import getuser
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from podshop.cli.answer import AsJson, answer

State = Annotated[Path | None, Parameter(help="State folder; the fund started last where not said.")]
service = App(name="service", help="Run a fund as services of systemd, each program as a user of its own.")


@service.command
def install(
    state: State = None,
    /,
    *,
    print_: Annotated[bool, Parameter(name="--print", negative="", help="Only show what would be written.")] = False,
    to: Annotated[Path, Parameter(help="Folder of the units.")] = Path("/etc/systemd/system"),
) -> None:
    """Write the units, hardened, and show what root does once beside them."""
    from podshop.live import folder
    from podshop.live import service as live

    gateway = folder.found(state)
    made = live.units(gateway)
    if print_:
        for unit in made:
            print(f"# {to / unit.name}\n{unit.text}")
    else:
        for path in live.install(made, to):
            print(f"wrote {path}", file=sys.stderr)
    started = " ".join(unit.name for unit in made if unit.name.endswith(".timer") or "-backup-" not in unit.name)
    once = ["# once, as root:", *live.commands(gateway), f"systemctl daemon-reload && systemctl enable --now {started}"]
    print("\n".join(once), file=sys.stderr)


def backup(state: State = None, /, *, json: AsJson = False) -> None:
    """Copy the books while they are written, verify the copy, and remove those that need not be kept."""
    from podshop.live import backup as live
    from podshop.live import folder

    gateway, now_ns = folder.found(state), time.time_ns()
    made = live.backup(gateway, now_ns)
    removed = live.prune(gateway, now_ns)
    found = {"folder": str(made.folder), "rows": made.seq, "sha256": made.sha256, "removed": removed}
    answer(found, f"{made.folder}: {made.seq} rows, every one verified; {removed} old ones removed", as_json=json)


def restore(
    backup: Annotated[Path, Parameter(help="Folder of the backup, in STATE/backups.")],
    state: State = None,
    /,
    *,
    json: AsJson = False,
) -> None:
    """Put a backup in the place of the books; the fund must be stopped, and starts HALTED."""
    from podshop.live import backup as live
    from podshop.live import folder

    gateway = folder.found(state)
    found = live.restore(gateway, backup, time.time_ns())
    text = f"{found.seq} rows are in place, the fund is HALTED; start it, compare (podshop status), then podshop resume"
    answer({"rows": found.seq, "sha256": found.sha256, "state": "HALTED"}, text, as_json=json)


def upgrade(
    new: Annotated[Path, Parameter(help="The .venv of the new build; of the old one to go back.")],
    state: State = None,
    /,
    *,
    current: Annotated[Path, Parameter(help="Symbolic link to the .venv in use.")] = Path(".venv-current"),
) -> None:
    """Drain, rebuild the books on a copy, warm up, swap; then the fund is REDUCE_ONLY for one clean cycle."""
    from podshop.live import folder
    from podshop.live import upgrade as live

    live.upgrade(folder.found(state), new, current, getuser(), lambda text: print(text, file=sys.stderr))
