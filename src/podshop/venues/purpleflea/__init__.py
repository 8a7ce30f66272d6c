"""Purple Flea: a thin layer over Hyperliquid that is believed about nothing but refusals it is known for."""
