"""Orders out, fills in; a folder per venue."""
