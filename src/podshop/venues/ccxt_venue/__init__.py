"""Binance USD-M, Bybit and OKX perpetuals through ccxt: it names, signs and spaces calls; the answers we read."""
