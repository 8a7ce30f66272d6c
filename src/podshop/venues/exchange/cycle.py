"""One cycle at the exchange: how much of each market's bar is left to be taken, and what the takers pay for it."""

from podshop.venues.exchange.batch import Batch, Costs, Priced, Share
from podshop.venues.exchange.tape import Tape


class Cycle:
    """The cycle that began at a row of the tape; markets are numbered as there."""

    def __init__(self, tape: Tape, row: int, costs: Costs) -> None:
        self._tape, self._row, self._costs = tape, row, costs
        self._batches: dict[tuple[int, int], Batch] = {}  # by market and side
        self._taken: dict[int, int] = {}

    def filled(self, m: int, side: int) -> int:
        """Lots that have filled on one side, unsigned."""
        batch = self._batches.get((m, side))
        return batch.lots if batch else 0

    def bears(self, m: int, lots: int, limit_micro: int) -> int:
        """How many of `lots` (signed) can be taken within the limit, unsigned; nothing where the bar does not trade."""
        side = 1 if lots > 0 else -1
        batch = self._batch(m, side)
        if batch is None:
            return 0
        most = self._tape.liquidity(self._row, m)[2] - self._taken.get(m, 0)
        return batch.fits(min(abs(lots), max(most, 0)), limit_micro)

    def take(self, m: int, share: Share) -> int:
        """Fill it. -> price as things stand: who takes more of it in this cycle moves it."""
        side = 1 if share.lots > 0 else -1
        batch = self._batch(m, side)
        assert batch is not None  # `bears` was asked
        self._batches[m, side] = batch
        self._taken[m] = self._taken.get(m, 0) + abs(share.lots)
        batch.add(share)
        return batch.price()

    def waiting(self) -> list[Priced]:
        """Fills that are not published, at the price they have as things stand."""
        return [each for batch in self._batches.values() for each in batch.priced()]

    def publish(self) -> list[Priced]:
        """The same, for good."""
        return [each for batch in self._batches.values() for each in batch.publish()]

    def _batch(self, m: int, side: int) -> Batch | None:
        reference = int(self._tape.reference[self._row, m])
        if reference == 0:
            return None
        depth, sigma, _, _ = self._tape.liquidity(self._row, m)
        return self._batches.get((m, side)) or Batch(self._costs, side, reference, depth, sigma)
