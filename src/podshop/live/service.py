"""systemd units for a fund: three users, three programs, and what each of them cannot do.

With systemd there is no supervisor of ours: it restarts what ends, and binds the brain to the gateway. The watchdog
stands alone, so that it outlives both. Each unit can write the state folder's parts it must and nothing else; the
brain reaches no key, since key files and operator's token are 0600 of other users, and can replace no socket or token,
since it may write no folder in which they are. An account's lock is not in /tmp, of which each unit has its own.
"""

import sys
from pathlib import Path
from typing import NamedTuple

from podshop.live.config import GATEWAY_TOML, Gateway
from podshop.live.reach import KEPT_LOCKS
from podshop.nouns import ConfigError

UNITS = Path("/etc/systemd/system")
USERS = {"brain": "podshop-brain", "gateway": "podshop-gateway", "watchdog": "podshop-watchdog"}

HARDENED = """\
NoNewPrivileges=yes
ProtectSystem=strict
ProtectHome=read-only
PrivateTmp=yes
PrivateDevices=yes
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
ProtectClock=yes
ProtectHostname=yes
ProtectProc=invisible
RestrictSUIDSGID=yes
RestrictRealtime=yes
LockPersonality=yes
CapabilityBoundingSet=
SystemCallFilter=@system-service
SystemCallArchitectures=native
UMask=0027
LimitCORE=0
"""


class Unit(NamedTuple):
    """A file of systemd."""

    name: str
    text: str


def units(gateway: Gateway, python: str = sys.executable) -> tuple[Unit, ...]:
    """The units of a fund: gateway, brain, watchdog, and an hourly backup. Raises ConfigError for an odd path."""
    folder = gateway.folder.resolve()
    if any(c.isspace() or c in "%$\"'\\" for c in f"{folder}{python}"):
        raise ConfigError(f"{folder}: expected a path without spaces, quotes, % and $, since systemd reads them itself")
    name, users = folder.name, {who: getattr(gateway.users, who) or user for who, user in USERS.items()}
    gateway_unit, brain_unit = f"podshop-gateway-{name}.service", f"podshop-brain-{name}.service"
    latch = folder / "latch"
    desk = _unit(
        f"podshop gateway of {name}: keys, gate, journal, orders", "network-online.target time-sync.target", "",
        users["gateway"], f"{python} -I -m podshop.live.gateway {folder}", folder, [folder, KEPT_LOCKS],
        "AF_UNIX AF_INET AF_INET6",
    )  # fmt: skip
    brain = _unit(
        f"podshop brain of {name}: agents, without a key", gateway_unit, f"BindsTo={gateway_unit}\n",
        users["brain"], f"{python} -I -m podshop.live.brain {folder}", folder,
        [folder / "bars", folder / "logs", folder / "cache" / "brain", folder / "heartbeat.brain"],
        "AF_UNIX AF_INET AF_INET6", more="MemoryMax=8G\nTasksMax=200\nRuntimeMaxSec=1d\n",
    )  # fmt: skip
    watchdog = _unit(
        f"podshop watchdog of {name}: flattens alone", "network-online.target", "",
        users["watchdog"], f"{python} -I -m podshop.live.watchdog {folder}", folder,
        [latch / "watchdog", latch / "watchdog.mark", folder / "logs", folder / "flat", folder / "watchdog.lock",
         folder / "heartbeat.watchdog", folder / "ballast", folder / "cache" / "watchdog"],
        "AF_UNIX AF_INET AF_INET6",
    )  # fmt: skip
    backup = (
        f"[Unit]\nDescription=podshop backup of {name}\n\n[Service]\nType=oneshot\nUser={users['gateway']}\n"
        f"Group=podshop\nExecStart={python} -I -c 'import sys; from podshop.cli import main; sys.exit(main())' "
        f"backup {folder}\nReadWritePaths={folder}\n{HARDENED}RestrictAddressFamilies=AF_UNIX\n"
    )
    timer = (
        f"[Unit]\nDescription=hourly backup of {name}\n\n[Timer]\nOnCalendar=hourly\nPersistent=true\n\n"
        "[Install]\nWantedBy=timers.target\n"
    )
    return (
        Unit(gateway_unit, desk),
        Unit(brain_unit, brain),
        Unit(f"podshop-watchdog-{name}.service", watchdog),
        Unit(f"podshop-backup-{name}.service", backup),
        Unit(f"podshop-backup-{name}.timer", timer),
    )


def _unit(
    about: str, after: str, binds: str, user: str, command: str, folder: Path, writes: list[Path], families: str,
    *, more: str = "",
) -> str:  # fmt: skip
    cache = folder / "cache" / user.rpartition("-")[2]
    return (
        f"[Unit]\nDescription={about}\nAfter={after}\n{binds}StartLimitIntervalSec=0\n\n"
        f"[Service]\nType=exec\nUser={user}\nGroup=podshop\nExecStart={command}\n"
        f"Environment=HOME={cache} XDG_CACHE_HOME={cache} OPENBLAS_NUM_THREADS=1 PYTHONHASHSEED=0\n"
        "Restart=always\nRestartSec=2\nRestartSteps=6\nRestartMaxDelaySec=60\n"
        "KillSignal=SIGTERM\nTimeoutStopSec=20\n"
        f"ReadWritePaths={' '.join(f'-{path}' for path in writes)}\n"
        f"{HARDENED}RestrictAddressFamilies={families}\n{more}\n"
        "[Install]\nWantedBy=multi-user.target\n"
    )


def commands(gateway: Gateway) -> list[str]:
    """What root types once, beside the units: users, a group, and who owns what."""
    folder = gateway.folder.resolve()
    users = {who: getattr(gateway.users, who) or user for who, user in USERS.items()}
    keys = {"gateway": gateway.keys.gateway, "watchdog": gateway.keys.watchdog}
    return [
        "groupadd --system podshop",
        *(
            f"useradd --system --no-create-home --shell /usr/sbin/nologin --gid podshop {user}"
            for user in users.values()
        ),
        f"chown -R {users['gateway']}:podshop {folder} && chmod 750 {folder}",
        *(f"install -d -o {users[who]} -g podshop -m 700 {folder}/cache/{who}" for who in users),
        f"chmod 2770 {folder}/logs {folder}/bars",
        f"chmod 710 {folder}/run && chmod 700 {folder}/desk",
        f"install -d -o root -g podshop -m 3770 {KEPT_LOCKS}",
        f"touch {folder}/heartbeat.brain {folder}/heartbeat.watchdog {folder}/flat {folder}/watchdog.lock",
        f"chown {users['brain']} {folder}/heartbeat.brain",
        f"chown {users['watchdog']} {folder}/heartbeat.watchdog {folder}/flat {folder}/watchdog.lock",
        f"chown {users['watchdog']} {folder}/latch/watchdog {folder}/latch/watchdog.mark {folder}/ballast",
        f"chmod 600 {folder}/desk/operator.token && chmod 640 {folder}/{GATEWAY_TOML}",
        *(f"chown {users[who]} {path} && chmod 600 {path}" for who, path in keys.items() if path),
        "# that changed the latch's files, so each counts as HALTED until its process has repaired it: podshop resume",
    ]


def install(made: tuple[Unit, ...], folder: Path = UNITS) -> list[Path]:
    """Write the units; those that are there already are replaced. Raises OSError where one may not."""
    paths = []
    for unit in made:
        path = folder / unit.name
        path.write_text(unit.text, encoding="utf-8")
        path.chmod(0o644)
        paths.append(path)
    return paths
