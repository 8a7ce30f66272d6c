"""The gateway: the one process that holds keys, judges, sends, and keeps the books (docs/live.md)."""
