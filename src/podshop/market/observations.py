"""What was known of the world beside prices: each value counts from when it could be known until it is old."""

import numpy as np

from podshop.nouns import DAY_NS, Panel, Times

NEWS_SILENCE_NS = DAY_NS  # a news feed that says nothing about any coin for longer is taken to be down


def as_of(time: Times, known_ns: Times, value: Panel, fresh_ns: int) -> Panel:
    """The latest value that could be known at each instant.

    time      (T,) instants, rising
    known_ns  (N,) when each value could be had, in any order; of equal stamps the later row counts
    value     (N,) the values; NaN is none
    fresh_ns  a value older than this counts no more: its source has gone silent
    ->        (T,) NaN where nothing is known

    >>> as_of(np.array([1, 5, 9]), np.array([2, 4]), np.array([7.0, 8.0]), fresh_ns=3)
    array([nan,  8., nan])
    """
    there = ~np.isnan(value)
    order = np.argsort(known_ns[there], kind="stable")
    known_ns, value = known_ns[there][order], value[there][order]
    if len(value) == 0:
        return np.full(len(time), np.nan)
    latest = np.searchsorted(known_ns, time, side="right") - 1
    i = np.maximum(latest, 0)
    fresh = (latest >= 0) & (time - known_ns[i] <= fresh_ns)
    return np.where(fresh, value[i], np.nan)


def headlines(
    time: Times, interval_ns: int, published_ns: Times, tone: Panel, all_published_ns: Times
) -> tuple[Panel, Panel]:
    """Count the headlines about one coin in each bar, and average their tone.

    time              (T,) closes of bars of `interval_ns`
    published_ns      (N,) headlines about the coin, with their tone (N,) in [-1, 1]
    all_published_ns  headlines about anything, rising: while they come, somebody is counting
    ->                count (T,): 0 while the feed runs, NaN before its first whole bar and after a day of silence;
                      tone (T,): NaN where there was no headline. A headline is of the bar (close - interval, close].

    >>> count, average = headlines(np.array([10, 20, 30]), 10, np.array([15, 20]), np.array([0.5, 0.1]), np.array([4]))
    >>> count, average
    (array([nan,  2.,  0.]), array([nan, 0.3, nan]))
    """
    count, total = np.zeros(len(time)), np.zeros(len(time))
    bar = np.searchsorted(time, published_ns, side="left")
    inside = (bar < len(time)) & (published_ns > (time[0] if len(time) else 0) - interval_ns)
    np.add.at(count, bar[inside], 1.0)
    np.add.at(total, bar[inside], tone[inside])
    if len(all_published_ns):
        latest = np.searchsorted(all_published_ns, time, side="right") - 1
        heard = all_published_ns[np.maximum(latest, 0)]
        runs = (latest >= 0) & (time - heard <= NEWS_SILENCE_NS) & (time - interval_ns >= all_published_ns[0])
    else:
        runs = np.zeros(len(time), np.bool_)
    average = np.divide(total, count, out=np.full(len(time), np.nan), where=(count > 0) & runs)
    return np.where(runs, count, np.nan), average
