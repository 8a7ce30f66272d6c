"""Funding: what a perpetual future pays for being held, and what a crowd pays for being early."""
