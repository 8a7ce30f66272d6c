"""What every signal agent said in a cycle, as one hash: what the decisions of that cycle were made on.

SHA-256 over the agents in the order of their names, of each its name, a zero byte, and its voices in its own markets as
little-endian float64; the same in a backtest and in a live brain.
"""

import hashlib

import numpy as np

from podshop.nouns import Panel, Times, Whole
from podshop.run.opinions import Voices

QUARTERS = ("sha256_0", "sha256_1", "sha256_2", "sha256_3")  # of the hash, as big-endian whole numbers


def said_rows(time: Times, said: Voices) -> dict[str, Whole]:
    """The columns of table `signals`: one row for each of K cycles."""
    parts = []
    for name in sorted(said):
        voices, index = said[name]
        rows: Panel = np.ascontiguousarray(voices[index], "<f8")
        named = np.frombuffer(name.encode() + b"\0", np.uint8)
        parts += [np.broadcast_to(named, (len(time), len(named))), rows.view(np.uint8)]
    whole = np.ascontiguousarray(np.concatenate(parts, axis=1))
    hashes = b"".join(hashlib.sha256(row).digest() for row in whole)
    quarters = np.frombuffer(hashes, ">i8").astype(np.int64).reshape(-1, len(QUARTERS))
    return {"time": time} | {name: np.ascontiguousarray(quarters[:, i]) for i, name in enumerate(QUARTERS)}
