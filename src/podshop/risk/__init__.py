"""Limits, and the gate that enforces them. Agents propose, the gate disposes."""
