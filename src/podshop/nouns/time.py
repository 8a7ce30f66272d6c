"""Time is int64 nanoseconds since 1970-01-01T00:00Z, everywhere."""

from datetime import UTC, datetime

from podshop.nouns.errors import ConfigError

SECOND_NS = 1_000_000_000
MINUTE_NS = 60 * SECOND_NS
HOUR_NS = 60 * MINUTE_NS
DAY_NS = 24 * HOUR_NS

_UNITS = {"s": SECOND_NS, "m": MINUTE_NS, "h": HOUR_NS, "d": DAY_NS}


def duration_ns(text: str) -> int:
    """Read a length of time such as '30s', '5m', '1h', '4h' or '1d', in nanoseconds.

    >>> duration_ns("5m") // SECOND_NS
    300
    """
    number, unit = text[:-1], text[-1:]
    if unit not in _UNITS or not number.isdigit() or int(number) == 0:
        raise ConfigError(f"{text!r} is not a length of time, expected a whole number and s, m, h or d, such as '5m'")
    return int(number) * _UNITS[unit]


def duration_text(ns: int) -> str:
    """Write a length of time the way `duration_ns` reads it.

    >>> duration_text(4 * HOUR_NS)
    '4h'
    """
    for unit in ("d", "h", "m", "s"):
        if ns % _UNITS[unit] == 0:
            return f"{ns // _UNITS[unit]}{unit}"
    return f"{ns}ns"


def utc_text(at_ns: int) -> str:
    """Write an instant for people, to the second.

    >>> utc_text(1_709_276_400 * SECOND_NS)
    '2024-03-01T07:00:00Z'
    """
    return datetime.fromtimestamp(at_ns // SECOND_NS, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def utc_ns(at: datetime) -> int:
    """Read an instant; one without a zone is UTC."""
    aware = at if at.tzinfo is not None else at.replace(tzinfo=UTC)
    return round(aware.timestamp()) * SECOND_NS
