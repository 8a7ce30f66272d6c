"""The words that the stages speak: frozen data, no behaviour that touches the world."""

from podshop.nouns.agents import ExecutionAgent, SignalAgent
from podshop.nouns.errors import (
    ConfigError,
    DataError,
    LedgerError,
    OrderRefused,
    OrderUnknown,
    PodshopError,
    VenueError,
)
from podshop.nouns.limits import Health, Limits, Shadows
from podshop.nouns.mandate import Mandate
from podshop.nouns.market import (
    ASSUMED,
    ASSUMED_SOURCE,
    BAR_COLUMNS,
    NEWS_COUNT,
    NEWS_TONE,
    Flags,
    Funding,
    Instrument,
    Int,
    Market,
    Panel,
    Times,
    Whole,
)
from podshop.nouns.time import DAY_NS, HOUR_NS, MINUTE_NS, SECOND_NS, duration_ns, duration_text, utc_ns, utc_text

__all__ = [
    "ASSUMED",
    "ASSUMED_SOURCE",
    "BAR_COLUMNS",
    "DAY_NS",
    "HOUR_NS",
    "MINUTE_NS",
    "NEWS_COUNT",
    "NEWS_TONE",
    "SECOND_NS",
    "ConfigError",
    "DataError",
    "ExecutionAgent",
    "Flags",
    "Funding",
    "Health",
    "Instrument",
    "Int",
    "LedgerError",
    "Limits",
    "Mandate",
    "Market",
    "OrderRefused",
    "OrderUnknown",
    "Panel",
    "PodshopError",
    "Shadows",
    "SignalAgent",
    "Times",
    "VenueError",
    "Whole",
    "duration_ns",
    "duration_text",
    "utc_ns",
    "utc_text",
]
