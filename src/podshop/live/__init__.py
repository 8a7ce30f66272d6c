"""The fund in real time: brain, gateway, watchdog and supervisor, each a process of its own (docs/live.md)."""
