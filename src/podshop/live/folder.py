"""The state folder of a running fund: made once, found again, checked at each start."""

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

from podshop.live import config, control, guards, intents, latch
from podshop.live.config import Gateway
from podshop.live.gateway.terms import terms_of, write_terms
from podshop.nouns import ConfigError

if TYPE_CHECKING:
    from podshop.run.config.sections import Fund

STATE = "PODSHOP_STATE"  # names the folder for commands that are given none
LONGEST_SOCKET = 107  # bytes of a Unix socket's path


def prepare(path: Path, fund: "Fund", state: Path, venue: str | None, base_url: str = "") -> Gateway:
    """Make a fund's folder where there is none, and write what its gateway is told of the fund file.

    venue  of a folder that is made now; None: gateway.toml must be there already
    Raises ConfigError.
    """
    if not (state / config.GATEWAY_TOML).exists():
        if venue is None:
            raise ConfigError(
                f"{state / config.GATEWAY_TOML}: missing; `podshop paper` writes one to begin from; with real money "
                "every line of it is yours to read"
            )
        _make(path, fund, state, venue, base_url)
    gateway = config.read(state)
    if gateway.fund.resolve() != path.resolve():
        raise ConfigError(f"{state}: belongs to {gateway.fund}, not to {path}; choose another folder with --state")
    for socket in (gateway.targets_socket, gateway.control_socket):
        if len(os.fsencode(socket.absolute())) > LONGEST_SOCKET:
            raise ConfigError(f"{socket}: too long for a socket, expected a state folder with a shorter path")
    for folder in (gateway.run, gateway.logs, gateway.backups, gateway.bars):
        folder.mkdir(exist_ok=True)
    control.make_token(gateway.operator_token)
    write_terms(terms_of(fund, gateway), state / "terms.json")
    guards.fill_ballast(state / "ballast", gateway.thresholds.ballast_mb)
    least = latch.STATES.index(gateway.state)
    if latch.Latch(state).held().state < least:
        latch.Latch(state, "operator").raise_to(least, time.time_ns(), f"{config.GATEWAY_TOML}: state")
    remember(state)
    return gateway


def _make(path: Path, fund: "Fund", state: Path, venue: str, base_url: str) -> None:
    """A new fund: its folder for nobody else, its latch RUNNING, its limits those of the fund file."""
    state.mkdir(parents=True, exist_ok=True, mode=0o750)
    latch.create(state)
    intents.create(state)
    limits = fund.limits
    text = config.sample(
        path.resolve(), venue, base_url, max_weight=limits.max_weight, max_gross=limits.max_gross,
        max_net=limits.max_net, max_var=limits.max_var, max_order=limits.max_order, collar_bps=limits.collar_bps,
    )  # fmt: skip
    (state / config.GATEWAY_TOML).write_text(text, encoding="utf-8")


def found(given: Path | None) -> Gateway:
    """The fund that a command is about: as given, as the environment says, or the one started last."""
    state = given or (Path(os.environ[STATE]) if os.environ.get(STATE) else _last())
    if state is None:
        raise ConfigError("which fund? No state folder was given, and none was started here (podshop paper FUND.toml)")
    return config.read(state)


def remember(state: Path) -> None:
    """For commands that are given no folder."""
    pointer = _pointer()
    try:
        pointer.parent.mkdir(parents=True, exist_ok=True)
        pointer.write_text(f"{state.absolute()}\n", encoding="utf-8")
    except OSError:
        return  # a service has no home; its commands name the folder


def _last() -> Path | None:
    try:
        return Path(_pointer().read_text(encoding="utf-8").strip())
    except OSError:
        return None


def _pointer() -> Path:
    import platformdirs

    return Path(platformdirs.user_state_dir("podshop")) / "last"
