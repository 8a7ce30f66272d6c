"""podshop status, halt, resume, resolve, flatten: how a person holds a running fund."""

import sys
import time
from getpass import getuser
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from podshop.cli.answer import AsJson, answer

State = Annotated[Path | None, Parameter(help="State folder; the fund started last where not said.")]
Reason = Annotated[str, Parameter(help="Why. It is kept for ever.")]
By = Annotated[str | None, Parameter(help="Who says so; the user of this computer where not said.")]
Scope = Annotated[Literal["fund", "agent", "market"], Parameter(help="What it is about.")]
Name = Annotated[str, Parameter(help="Which agent or market.")]


def status(state: State = None, /, *, json: AsJson = False) -> None:
    """Show how a running fund stands: state, processes, books, orders, disk, keys, backups."""
    from podshop.live import folder
    from podshop.live import status as live

    found = live.status(folder.found(state))
    answer(found, "\n".join(live.lines(found)), as_json=json)


def halt(
    state: State = None,
    /,
    *,
    reason: Reason,
    scope: Scope = "fund",
    name: Name = "",
    to: Annotated[Literal["REDUCE_ONLY", "HALTED", "FLATTEN"], Parameter(help="How far, of the fund.")] = "HALTED",
    by: By = None,
    json: AsJson = False,
) -> None:
    """Stop a fund, an agent or a market at once; works with everything else dead."""
    from podshop.live import control, folder
    from podshop.live.latch import STATES, Latch
    from podshop.nouns import ConfigError

    gateway, who = folder.found(state), by or getuser()
    if (scope == "fund") != (name == ""):
        raise ConfigError("an agent or a market has a --name, and the fund has none")
    held = None
    if scope == "fund":  # the latch first: it needs nobody's answer
        held = Latch(gateway.folder, "operator").raise_to(STATES.index(to), time.time_ns(), f"{reason} ({who})")
    wish = control.Halt(scope=scope, name=name, state=to, reason=reason, by=who)
    try:
        control.ask(gateway.control_socket, control.read_token(gateway.operator_token), wish)
        heard = "the gateway has heard it"
    except (OSError, ConfigError) as e:
        if held is None:
            raise
        heard = f"the latch holds it, and the gateway does not answer ({e})"
    what = held.name if held is not None else f"{scope} {name} halted"
    answer({"state": what, "heard": heard}, f"{what}: {heard}", as_json=json)


def resume(
    state: State = None,
    /,
    *,
    reason: Reason,
    scope: Scope = "fund",
    name: Name = "",
    to: Annotated[Literal["RUNNING", "REDUCE_ONLY"], Parameter(help="How far down, of the fund.")] = "RUNNING",
    by: By = None,
    json: AsJson = False,
) -> None:
    """Let a fund, an agent or a market trade again; what has been raised meanwhile holds."""
    from podshop.live import control, folder
    from podshop.live.latch import Latch

    gateway = folder.found(state)
    held = Latch(gateway.folder, "operator").repair(time.time_ns())
    wish = control.Resume(scope=scope, name=name, state=to, seen=held.seen, reason=reason, by=by or getuser())
    control.ask(gateway.control_socket, control.read_token(gateway.operator_token), wish)
    now = Latch(gateway.folder).held()
    text = f"{scope} {name}".strip() + f" resumed; the fund is {now.name}"
    answer({"state": now.name, "was": held.seen}, text, as_json=json)


def resolve(
    market: Annotated[str, Parameter(help="Whose coin is in quarantine.")],
    state: State = None,
    /,
    *,
    outcome: Annotated[Literal["never", "filled", "seen"], Parameter(help="What became of it.")],
    reason: Reason,
    intent: Annotated[
        str, Parameter(help="The order's intent, 32 hex digits; none = a difference was looked at.")
    ] = "",
    order_id: Annotated[str, Parameter(help="The venue's order whose held fills are of that intent.")] = "",
    lots: Annotated[int, Parameter(help="Lots filled, sold < 0.")] = 0,
    price_micro: Annotated[int, Parameter(help="Micro-dollars per lot.")] = 0,
    fee_micro: Annotated[int, Parameter(help="Fee paid, micro-dollars.")] = 0,
    by: By = None,
    json: AsJson = False,
) -> None:
    """Say what became of an order that no evidence settles, or that a difference was looked at."""
    from podshop.live import control, folder

    gateway = folder.found(state)
    wish = control.Resolve(
        market=market, intent=intent, outcome=outcome, order_id=order_id, lots=lots, price_micro=price_micro,
        fee_micro=fee_micro, reason=reason, by=by or getuser(),
    )  # fmt: skip
    control.ask(gateway.control_socket, control.read_token(gateway.operator_token), wish)
    answer({"market": market, "outcome": outcome}, f"{market}: {outcome}, and the gateway has booked it", as_json=json)


def flatten(
    state: State = None,
    /,
    *,
    reason: Reason,
    alone: Annotated[bool, Parameter(negative="", help="Do it here, and do not wait for the watchdog.")] = False,
    json: AsJson = False,
) -> None:
    """Bring the account to flat, and say FLAT when the venue has shown it for long enough."""
    from podshop.live import folder
    from podshop.live.flatten import Said
    from podshop.live.flattening import flatten as run

    gateway = folder.found(state)
    said: list[Said] = []

    def show(one: Said) -> None:
        said.append(one)
        print(f"{one.word:<10} {one.text}", file=sys.stderr, flush=True)

    run(gateway, f"{reason} ({getuser()})", show, alone=alone)
    answer({"flat": True, "steps": len(said), "at_ns": said[-1].at_ns}, "flat", as_json=json)
