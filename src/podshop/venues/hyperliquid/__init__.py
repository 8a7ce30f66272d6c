"""Hyperliquid perpetuals, directly: own wire, own rules, the official SDK's signing."""
