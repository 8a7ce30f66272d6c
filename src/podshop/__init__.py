"""Podshop: a crypto hedge fund that one person can run. docs/architecture.md is the map."""
