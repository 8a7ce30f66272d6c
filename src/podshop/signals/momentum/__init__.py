"""Momentum: what has risen tends to keep rising for a while, because news reaches people slowly and they herd."""
