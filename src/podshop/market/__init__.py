"""Raw bars and settlements become one clean Market: point in time, gaps named, no price invented."""

from podshop.market.coverage import data_report
from podshop.market.digest import data_sha256
from podshop.market.funding import Records, funding_per_hour, settlements
from podshop.market.observations import as_of, headlines
from podshop.market.prices import NEVER, marks, ranges, references
from podshop.market.resample import resample

__all__ = [
    "NEVER",
    "Records",
    "as_of",
    "data_report",
    "data_sha256",
    "funding_per_hour",
    "headlines",
    "marks",
    "ranges",
    "references",
    "resample",
    "settlements",
]
