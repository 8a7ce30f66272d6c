"""The durable record behind the ledger: written while the fund runs, audited afterwards."""
