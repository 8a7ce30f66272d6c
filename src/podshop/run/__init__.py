"""Joins the stages into one fund and chooses its world: run/cycle.py is the newcomer's main path."""
