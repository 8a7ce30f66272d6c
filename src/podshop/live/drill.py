"""A rehearsal of the end, on paper: how long from the halt to a closed gate, to flat, and to FLAT."""

import time
from collections.abc import Callable
from typing import Any

from podshop.live import control
from podshop.live.config import Gateway
from podshop.live.flatten import Said
from podshop.live.flattening import flatten, watched
from podshop.live.latch import FLATTEN, Latch
from podshop.nouns import SECOND_NS, ConfigError


def drill(gateway: Gateway, show: Callable[[Said], None]) -> dict[str, Any]:
    """Halt and flatten a running paper fund. Durations in seconds: `wall` of this machine, `venue` of its clock.

    Raises ConfigError where real money would be flattened, or where nobody watches.
    """
    if gateway.real_money:
        raise ConfigError(f"{gateway.folder}: real money is not drilled; `podshop flatten` is meant in earnest")
    if not watched(gateway):
        raise ConfigError(f"{gateway.folder}: no watchdog gives a sign of life; start the fund first (podshop paper)")
    steps: list[tuple[float, Said]] = []
    began_s = time.monotonic()

    def heard(said: Said) -> None:
        steps.append((time.monotonic() - began_s, said))
        show(said)

    Latch(gateway.folder, "operator").raise_to(FLATTEN, time.time_ns(), "a drill")
    latched_s = time.monotonic() - began_s
    gate_s = _gate_closed(gateway, began_s)
    flatten(gateway, "a drill", heard)
    first_ns = steps[0][1].at_ns if steps else 0
    at = {said.word: (wall_s, (said.at_ns - first_ns) / SECOND_NS) for wall_s, said in reversed(steps)}
    orders = [said for _, said in steps if said.word in ("sent", "refused")]
    return {
        "latch_ms": 1000 * latched_s,
        "gate_closed_ms": None if gate_s is None else 1000 * gate_s,
        "orders": len(orders),
        "unread": sum(said.word == "unread" for _, said in steps),
        "flat_now_s": at.get("flat now"),
        "flat_s": at.get("FLAT"),
    }


def _gate_closed(gateway: Gateway, began_s: float) -> float | None:
    """When the gateway itself said that it no longer trades; None where it does not answer."""
    try:
        token = control.read_token(gateway.operator_token)
        while time.monotonic() - began_s < 10.0:
            standing = control.ask(gateway.control_socket, token, control.Status(), 2.0).standing
            if standing is not None and standing.state in ("HALTED", "FLATTEN"):
                return time.monotonic() - began_s
            time.sleep(0.02)
    except (OSError, ConfigError):
        return None
    return None


def lines(found: dict[str, Any]) -> list[str]:
    """For people."""

    def both(pair: tuple[float, float] | None) -> str:
        return "never" if pair is None else f"{pair[0]:.1f} s here, {pair[1]:.0f} s of the venue's clock"

    gate = found["gate_closed_ms"]
    return [
        f"latch on the disk   {found['latch_ms']:.0f} ms",
        "gateway halted      " + ("it does not answer" if gate is None else f"{gate:.0f} ms"),
        f"orders              {found['orders']}; {found['unread']} readings could not be believed",
        f"flat now            {both(found['flat_now_s'])}",
        f"FLAT                {both(found['flat_s'])}",
        "the fund stays at FLATTEN: podshop resume --reason 'drill done'",
    ]
