"""Mean reversion: who must trade at once pays whoever waits, and the price comes back when the hurry is over."""
