"""The life of an order at a venue that loses replies: docs/live.md, sections 2 to 4, as pure functions."""
