"""Keep a fund's programs running, as `podshop paper` does: python keep.py STATE [MUTANT].

A program that stood for ten minutes begins again with a pause of one second. Where history runs 300 times faster than
the rules mean it, ten minutes are two seconds; else the tenth kill of an hour would be answered after a minute.
"""

import sys
from dataclasses import replace
from pathlib import Path

from podshop.live import config, supervisor

ROOT = Path(__file__).resolve().parents[3]
FASTER = 300.0
RUN = (
    f"import sys; sys.path.insert(0, {str(ROOT)!r}); from tests.live.real.mutants import start; "
    "sys.exit(start(sys.argv[1:]))"
)


def main(state: Path, mutant: str = "") -> int:
    """Until SIGINT."""
    supervisor.STOOD_S /= FASTER
    programs = supervisor.programs(config.read(state))
    if mutant:
        command = [sys.executable, "-c", RUN, mutant, str(state)]
        programs = tuple(replace(one, command=command) if one.name == "gateway" else one for one in programs)
    return supervisor.Supervisor(programs, say=lambda text: print(text, flush=True)).run()  # noqa: T201


if __name__ == "__main__":
    raise SystemExit(main(Path(sys.argv[1]), *sys.argv[2:]))
