"""Market history from Parquet files: bars/<venue>/<interval>/<STEM>.parquet and funding/<venue>/<STEM>.parquet."""

from podshop.feeds.parquet.read import Wanted, read_market

__all__ = ["Wanted", "read_market"]
