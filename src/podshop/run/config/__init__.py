"""A fund file, TOML, is the agents' fields: read it with `load`, and write the first one with `starter`."""

from podshop.run.config.checks import coarse
from podshop.run.config.load import canonical, fifty_fund, fund_from, load, starter_fund
from podshop.run.config.reference import fifty, reference, smallest, starter
from podshop.run.config.sections import (
    AllocatorSection,
    Confidence,
    Fund,
    GraduationSection,
    LimitsSection,
    MarketSection,
    RiskSeat,
    SignalSeat,
    VenueSection,
)

__all__ = [
    "AllocatorSection",
    "Confidence",
    "Fund",
    "GraduationSection",
    "LimitsSection",
    "MarketSection",
    "RiskSeat",
    "SignalSeat",
    "VenueSection",
    "canonical",
    "coarse",
    "fifty",
    "fifty_fund",
    "fund_from",
    "load",
    "reference",
    "smallest",
    "starter",
    "starter_fund",
]
