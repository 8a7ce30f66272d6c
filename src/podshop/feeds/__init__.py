"""Market data in: a folder per source."""
