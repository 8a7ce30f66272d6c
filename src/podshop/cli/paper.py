"""podshop paper, live, drill, doctor: start a fund, rehearse its end, and look whether all is right before."""

import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from podshop.cli.answer import AsJson, answer, progress

FundFile = Annotated[Path, Parameter(help="Fund file, TOML.")]
Folder = Annotated[Path | None, Parameter(help="State folder; one beside the others where not said.")]
Cycles = Annotated[int, Parameter(help="Stop after so many cycles; 0 = with Ctrl-C.")]
State = Annotated[Path | None, Parameter(help="State folder; the fund started last where not said.")]


def paper(
    fund: FundFile,
    /,
    *,
    state: Folder = None,
    data: Annotated[
        str, Parameter(help="History that the simulated exchange replays: a folder, or `simulated`.")
    ] = "simulated",
    since: Annotated[
        datetime | None,
        Parameter(help="Where the replay begins, UTC; else 30 days into the history."),
    ] = None,
    rate: Annotated[float, Parameter(help="How many times faster than the wall it is replayed.")] = 300.0,
    evil: Annotated[str, Parameter(help="Faults of the exchange: NAME=PROBABILITY,... (podshop venue faults).")] = "",
    cycles: Cycles = 0,
) -> int:
    """Run a fund live without money: brain, gateway and watchdog against the simulated exchange, or a test venue."""
    from podshop.live import folder
    from podshop.live import paper as run
    from podshop.nouns import ConfigError
    from podshop.run.config import load
    from podshop.run.warm import warm

    read = load(fund)
    where = state or Path("out/paper") / read.name
    if (where / "gateway.toml").exists():
        before = folder.prepare(fund, read, where, "simulated")
        if before.real_money:
            raise ConfigError(f"{where / 'gateway.toml'}: real_money is true, expected false for paper (podshop live)")
        if before.venue == "simulated" and not before.base_url:
            moved = run.aside(where)
            if moved is not None:
                _say(f"the earlier run is in {moved}")
    gateway = folder.prepare(fund, read, where, "simulated")
    with progress() as show:
        warm(show)  # brain and gateway load what is compiled here; in a gateway that compiles, nobody would watch
    exchange = None
    if gateway.venue == "simulated" and not gateway.base_url:
        since = since or run.tradable_from(read, data)
        extra = [*(["--evil", evil] if evil else []), *(["--since", f"{since:%Y-%m-%dT%H:%M:%S}"] if since else [])]
        exchange = run.start_exchange(gateway, data, rate, extra)
    try:
        run.write_brain(gateway, data)
        _say(
            f"{read.name}: PAPER, {gateway.venue}; {gateway.folder}; podshop status, halt, flatten in another terminal"
        )
        return run.keep(gateway, _say, cycles)
    finally:
        if exchange is not None:
            exchange.terminate()
            exchange.wait()


def live(
    fund: FundFile,
    /,
    *,
    state: Annotated[Path, Parameter(help="State folder, with the gateway.toml that you wrote.")],
    really: Annotated[bool, Parameter(negative="", help="Real money is meant.")] = False,
    data: Annotated[str, Parameter(help="Folder of history for the agents to begin with.")] = "",
    cycles: Cycles = 0,
) -> int:
    """Run a fund with real money; asks the doctor first, then for the fund's name, typed."""
    from podshop.live import doctor, folder
    from podshop.live import paper as run
    from podshop.nouns import ConfigError
    from podshop.run.config import load

    read = load(fund)
    gateway = folder.prepare(fund, read, state, None)
    if not really:
        raise ConfigError("this trades real money: say --really (or podshop paper, which does not)")
    if not gateway.real_money:
        raise ConfigError(f"{state / 'gateway.toml'}: real_money is false, expected true")
    found = doctor.examine(gateway, read)
    _say("\n".join(doctor.lines(found)))
    if doctor.worst(found) == "stop":
        raise ConfigError("the doctor found what must be put right first (podshop doctor)")
    if not sys.stdin.isatty():
        raise ConfigError("the confirmation is typed by a person at a terminal; a service is `podshop service install`")
    run.warn_real(gateway, read, input)
    run.write_brain(gateway, data)
    return run.keep(gateway, _say, cycles)


def doctor(
    fund: FundFile,
    state: State = None,
    /,
    *,
    offline: Annotated[bool, Parameter(negative="", help="Do not ask the venue.")] = False,
    json: AsJson = False,
) -> int:
    """Look at keys, users, clock, venue, sizes, fees, disk and permissions; each failure names the line to fix."""
    from podshop.live import doctor as live
    from podshop.live import folder
    from podshop.run.config import load

    read = load(fund)
    gateway = folder.prepare(fund, read, state or folder.found(None).folder, None)
    found = live.examine(gateway, read, ask_venue=not offline)
    worst = live.worst(found)
    answer({"worst": worst, "checks": [one._asdict() for one in found]}, "\n".join(live.lines(found)), as_json=json)
    return 1 if worst == "stop" else 0


def drill(state: State = None, /, *, json: AsJson = False) -> None:
    """Rehearse the end on a running paper fund: halt, flatten, FLAT; report how long each took. Resume it yourself."""
    from podshop.live import folder
    from podshop.live.drill import drill as rehearse
    from podshop.live.drill import lines

    found = rehearse(folder.found(state), lambda said: _say(f"{said.word:<10} {said.text}"))
    answer(found, "\n".join(lines(found)), as_json=json)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
