"""Which facts of the venue are in the journal, so that history read twice or in overlapping pieces changes nothing."""

from hashlib import blake2b

from podshop.nouns import LedgerError

_SIZE = 16  # bytes of each hash: two of a billion ids meet once in 10^20


class Known:
    """A set of (kind, venue id), each with a hash of what was said under it."""

    def __init__(self, packed: bytes = b"") -> None:
        step = 2 * _SIZE
        self._said = {packed[i : i + _SIZE]: packed[i + _SIZE : i + step] for i in range(0, len(packed), step)}

    def packed(self) -> bytes:
        """All of it, to be kept; `Known(packed)` makes it again."""
        return b"".join(key + said for key, said in self._said.items())

    def __len__(self) -> int:
        return len(self._said)

    def has(self, kind: str, venue_id: str, body: bytes) -> bool:
        """True where the journal holds this very fact.

        Raises LedgerError where it holds another of this id: the venue changed its history, which a person must see.
        """
        said = self._said.get(_key(kind, venue_id))
        if said is None:
            return False
        if said != blake2b(body, digest_size=_SIZE).digest():
            raise LedgerError(f"the venue tells another {kind} under the id {venue_id!r} than it did before")
        return True

    def there(self, kind: str, venue_id: str) -> bool:
        """True where the journal holds a fact of this id, whatever it says."""
        return _key(kind, venue_id) in self._said

    def add(self, kind: str, venue_id: str, body: bytes) -> None:
        """Take a row of the journal. Raises LedgerError where its id is there already."""
        key = _key(kind, venue_id)
        if key in self._said:
            raise LedgerError(f"{kind} {venue_id!r} is in the journal a second time")
        self._said[key] = blake2b(body, digest_size=_SIZE).digest()


def _key(kind: str, venue_id: str) -> bytes:
    return blake2b(f"{kind} {venue_id}".encode(), digest_size=_SIZE).digest()
