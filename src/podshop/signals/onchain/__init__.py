"""On-chain flow: coins that move show intentions before orders do. A day is known the day after, at the earliest."""
