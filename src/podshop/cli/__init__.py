"""The command line. A command reads its arguments, calls one function, and shows the answer.

Commands are named by import string, so `podshop --help` loads none of them and starts in a fifth of a second.
People read stderr; stdout carries the answer, which is one JSON object with --json.
"""

import os
import sys
from collections.abc import Sequence

from cyclopts import App, CycloptsError

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # its matrices are small; threads that wait for more burn a core
WRONG = 2  # exit code: what was asked for cannot be, and one line on stderr says why
INTERRUPTED = 130  # as a shell gives it for Ctrl-C

app = App(
    name="podshop",
    help="A crypto hedge fund that one person can run.",
    print_error=False,
    exit_on_error=False,
    result_action="return_value",
    suppress_keyboard_interrupt=False,
)
app.command("podshop.cli.init:init", name="init", help="Write a fund file to start from.")
app.command("podshop.cli.backtest:backtest", name="backtest", help="Replay history through a fund.")
app.command("podshop.cli.backtest:demo", name="demo", help="Run the starter fund offline, on a simulated exchange.")
app.command("podshop.cli.allocate:allocate", name="allocate", help="Share a fund's capital under every policy.")
app.command("podshop.cli.costs:costs", name="costs", help="Show what netting, the buffer and the cost gate save.")
app.command(
    "podshop.cli.realistic:realistic",
    name="realistic",
    help="Hold the fund to the one strategy that looked best before.",
)
app.command("podshop.cli.audit:audit", name="audit", help="Recompute a run's books from its record.")
app.command("podshop.cli.report:report", name="report", help="Account for a day, a month or all of a run; check it.")
app.command("podshop.cli.risk:risk", name="risk", help="Show what a run's last portfolio may lose, and its limits.")
app.command("podshop.cli.why:why", name="why", help="Show why a market was traded, or was not.")
app.command("podshop.cli.gate:gate", name="gate", help="Show who may hold capital, and sign for it.")
app.command("podshop.cli.trials:trials", name="trials", help="Show how often somebody has looked.")
app.command("podshop.cli.replay:replay", name="replay", help="Decide a live cycle again, byte for byte.")
app.command("podshop.cli.shadow:shadow", name="shadow", help="Run a live day through the backtest: what differs?")
app.command("podshop.cli.ledger:ledger", name="ledger", help="Keep, check and export the books.")
app.command("podshop.cli.bench:bench", name="bench", help="Measure the loop, the record, the signals, the whole fund.")
app.command("podshop.cli.paper:paper", name="paper", help="Run a fund live without money, on a simulated exchange.")
app.command("podshop.cli.paper:live", name="live", help="Run a fund with real money, after the doctor and your word.")
app.command("podshop.cli.paper:doctor", name="doctor", help="Look at all that must be right; name the line to fix.")
app.command("podshop.cli.paper:drill", name="drill", help="Rehearse halt to flat on paper, and report the times.")
app.command("podshop.cli.halt:status", name="status", help="Show how a running fund stands.")
app.command("podshop.cli.halt:halt", name="halt", help="Stop a fund, an agent or a market at once.")
app.command("podshop.cli.halt:resume", name="resume", help="Let a fund, an agent or a market trade again.")
app.command("podshop.cli.halt:resolve", name="resolve", help="Say what became of an order that nothing settles.")
app.command("podshop.cli.halt:flatten", name="flatten", help="Bring the account to flat, whatever else is dead.")
app.command("podshop.cli.keep:service", name="service", help="Run a fund as services of systemd, under three users.")
app.command("podshop.cli.keep:backup", name="backup", help="Copy the books while they are written, verified.")
app.command("podshop.cli.keep:restore", name="restore", help="Put a backup in place; the fund starts HALTED.")
app.command("podshop.cli.keep:upgrade", name="upgrade", help="Move to another build with positions open.")
agents = App(name="agents", help="List, write, check and judge agents.")
agents.command("podshop.cli.agents:listing", name="list", help="List the agents of a fund, and every kind there is.")
agents.command("podshop.cli.agents:new", name="new", help="Write an agent that works, and its test.")
agents.command("podshop.cli.agents:check", name="check", help="Hold an agent to the contract.")
agents.command("podshop.cli.agents:score", name="score", help="Judge every signal agent of a fund on a period.")
app.command(agents)
venue = App(name="venue", help="A simulated exchange on this host.")
venue.command("podshop.cli.venue:serve", name="serve", help="Serve it: history replayed, two venues' dialects, faults.")
venue.command("podshop.cli.venue:faults", name="faults", help="List every fault of the evil twin.")
app.command(venue)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and give its exit code; what is wrong with a request is one line, never a traceback."""
    try:
        return app(sys.argv[1:] if arguments is None else list(arguments)) or 0
    except Exception as e:
        from podshop.nouns import PodshopError  # numpy comes with it, and `--help` needs neither

        if isinstance(e, PodshopError | CycloptsError):
            return _wrong(str(e))
        if isinstance(e, OSError):  # a folder that cannot be written, a full disk
            return _wrong(f"{e.filename}: {e.strerror}" if e.filename else str(e))
        raise
    except KeyboardInterrupt:
        print("podshop: interrupted", file=sys.stderr)
        return INTERRUPTED


def _wrong(text: str) -> int:
    print(f"podshop: {' '.join(text.split())}", file=sys.stderr)
    return WRONG
