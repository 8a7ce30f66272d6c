"""Everything that can go wrong, named by what the caller should do.

PodshopError
├── ConfigError        the configuration asks for what cannot be
├── DataError          market data is missing, stale or impossible
├── VenueError
│   ├── OrderRefused       the venue understood and declined: safe to forget
│   └── OrderUnknown       the venue did not answer: the order may exist, reconcile
└── LedgerError        the books do not balance: stop trading
"""


class PodshopError(Exception):
    """Base of all errors that podshop raises on purpose."""


class ConfigError(PodshopError):
    """The configuration asks for what cannot be."""


class DataError(PodshopError):
    """Market data is missing, stale or impossible."""


class VenueError(PodshopError):
    """Something went wrong between us and a venue."""


class OrderRefused(VenueError):
    """The venue understood and declined: safe to forget."""


class OrderUnknown(VenueError):
    """The venue did not answer: the order may exist, reconcile."""


class LedgerError(PodshopError):
    """The books do not balance: stop trading."""
