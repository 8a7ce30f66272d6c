"""A projection in PostgreSQL, in a schema of its own. Needs `pip install 'podshop[postgres]'`."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from podshop.journal.flat import Values
from podshop.journal.projections import ADD_UP, Lost
from podshop.nouns import ConfigError, LedgerError

SCHEMA = "podshop"
CONNECT_S = 10


@contextmanager
def connected(url: str) -> Iterator["PostgresTarget"]:
    """The server at this URL. Raises Lost where it does not answer, or goes away meanwhile."""
    try:
        import psycopg
    except ImportError as e:
        raise ConfigError("PostgreSQL needs its driver: pip install 'podshop[postgres]'") from e

    try:
        with psycopg.connect(url, autocommit=True, connect_timeout=CONNECT_S) as db:
            db.execute(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}")
            db.execute(f"SET search_path TO {SCHEMA}")
            yield PostgresTarget(db)
    except psycopg.OperationalError as e:
        raise Lost(str(e)) from e
    except psycopg.Error as e:  # such as a view of somebody's that stands on an old table
        raise LedgerError(f"PostgreSQL refused: {e}") from e


class PostgresTarget:
    """A projection on a server."""

    mark = "%s"

    def __init__(self, db: Any) -> None:
        self._db = db

    def transaction(self) -> AbstractContextManager[Any]:
        """All or none."""
        found: AbstractContextManager[Any] = self._db.transaction()
        return found

    def execute(self, statement: str, values: Sequence[Any] = ()) -> Any:
        """Run one statement."""
        return self._db.execute(statement, values)

    def insert(self, table: str, columns: Sequence[str], values: Sequence[Values]) -> None:
        """Add rows, by COPY: ten times quicker than INSERT."""
        with self._db.cursor() as cursor, cursor.copy(f"COPY {table}({', '.join(columns)}) FROM STDIN") as copy:
            for row in values:
                copy.write_row(row)

    def add_up(self, values: Sequence[Values]) -> None:
        """Add units to accounts."""
        with self._db.cursor() as cursor:
            cursor.executemany(ADD_UP.format("%s", "%s", "%s"), values)

    def has(self, table: str) -> bool:
        """True where the table is there."""
        found = self._db.execute("SELECT to_regclass(%s)", (f"{SCHEMA}.{table}",)).fetchone()
        return found[0] is not None
