"""What a market is called at each venue, and how small it can be traded.

A market is named by its base asset (BTC, PEPE). Names at a venue follow a rule (BASE + "USDT"), and cheap coins are
traded there by the thousand: 1000PEPEUSDT, kPEPE. Prices and volumes are always brought back to one coin.

Sources
- Names and thousands: the files under data/bars and data/funding, and the venues' own lists as of mid-2024.
- Size decimals: field `szDecimals` of Hyperliquid's `meta`. BTC, ETH, ATOM, MATIC, DYDX and SOL are checked against the
  recording in shared/venues/fixtures/hyperliquid/info_meta.json; the others are from memory of mid-2024, so a live
  adapter must compare them with the venue's answer. What Hyperliquid did not list then has a lot chosen by us (below).
  On Hyperliquid a price has at most 6 - szDecimals decimals, so lot x tick is one micro-dollar.
- Smallest order 10 USD: Hyperliquid's error MinTradeNtl, "Order must have minimum value of $10".
"""

from difflib import get_close_matches

from podshop.nouns.errors import ConfigError
from podshop.nouns.market import Instrument

MIN_NOTIONAL_USD = 10.0


def locate(base: str, venue: str) -> tuple[str, int]:
    """Find a market's file stem at a venue, and how many coins one unit there is.

    >>> locate("PEPE", "binance_perp"), locate("PEPE", "hyperliquid_perp"), locate("PEPE", "okx_perp")
    (('1000PEPEUSDT', 1000), ('kPEPE', 1000), ('PEPEUSDT', 1))
    """
    check_known(base)
    if venue not in _NAMES:
        near = _nearest(venue, VENUES)
        raise ConfigError(f"{venue!r} is not a venue we know, expected one of {', '.join(VENUES)}{near}")
    prefix, quote = _NAMES[venue]
    if base in _THOUSANDS[venue]:
        return f"{prefix}{base}{quote}", 1000
    return f"{base}{quote}", 1


def instrument(base: str) -> Instrument:
    """How a market trades on Hyperliquid, with the lot in coins.

    >>> instrument("BTC").lot_size, instrument("PEPE").lot_size
    (1e-05, 1000.0)
    """
    check_known(base)
    _, coins = locate(base, "hyperliquid_perp")
    return Instrument(name=base, lot_size=coins / 10 ** SIZE_DECIMALS[base], min_notional_usd=MIN_NOTIONAL_USD)


def check_known(base: str) -> None:
    """Refuse a base asset that is not in the table, naming the nearest that is."""
    if base not in SIZE_DECIMALS:
        raise ConfigError(f"{base!r} is not a market in the symbol table{_nearest(base, BASES)}")


def _nearest(word: str, words: tuple[str, ...]) -> str:
    """Suggest the word that was probably meant; its case does not matter."""
    by_upper = {w.upper(): w for w in words}
    near = get_close_matches(word.upper(), by_upper, n=1)
    return f", did you mean {by_upper[near[0]]!r}?" if near else ""


# venue -> (what stands before a coin traded by the thousand, what stands after every coin)
_NAMES = {
    "okx_perp": ("", "USDT"),
    "binance_perp": ("1000", "USDT"),
    "binance_spot": ("1000", "USDT"),
    "hyperliquid_perp": ("k", ""),
    "coinbase_spot": ("", "USD"),
}
VENUES = tuple(_NAMES)

# The exceptions: coins that a venue trades by the thousand.
_THOUSANDS: dict[str, frozenset[str]] = {
    "okx_perp": frozenset(),
    "binance_perp": frozenset({"BONK", "FLOKI", "LUNC", "PEPE", "RATS", "SATS", "SHIB", "XEC"}),
    "binance_spot": frozenset({"SATS"}),
    "hyperliquid_perp": frozenset({"BONK", "DOGS", "FLOKI", "LUNC", "NEIRO", "PEPE", "SHIB"}),
    "coinbase_spot": frozenset(),
}

_HYPERLIQUID_DECIMALS: dict[int, str] = {  # of the venue's own unit: kPEPE, not PEPE
    5: "BTC",
    4: "ETH MKR PAXG",
    3: "BCH BNB TAO UNIBOT",
    2: "AAVE APT AR ATOM AVAX BSV COMP EIGEN ENS ETC GMX HYPE ILV LTC NEO OMNI ORDI SOL TRB ZEC ZEN",
    1: (
        "APE ARB CAKE CRV CYBER DOT DYDX DYM ETHFI FIL FTT FXS GAS GRASS ICP IMX INJ IO LDO LINK MANTA MATIC NEAR OP "
        "PENDLE RENDER RNDR RUNE SAGA SNX STRK STX SUI SUSHI TIA TNSR TON UMA UNI VIRTUAL W WLD XAI ZETA ZRO"
    ),
    0: (
        "ADA ALGO ALT BIGTIME BLAST BLUR BLZ BOME BONK BRETT CELO CFX DOGE DOGS ENA FET FLOKI FTM GALA GMT GOAT HBAR "
        "IOTA JTO JUP KAS LUNC MAV MEME MEW MINA MOODENG MYRO NEIRO NOT NTRN ONDO PENGU PEOPLE PEPE PIXEL PNUT POL "
        "POLYX POPCAT PYTH RDNT REZ RSR SAND SEI SHIB STG SUPER TRX TURBO USTC WIF XLM XRP YGG ZK"
    ),
}
_OUR_DECIMALS: dict[int, str] = {  # not on Hyperliquid in mid-2024
    3: "XMR",
    1: "EGLD",
    0: "ANKR AXS CHZ EOS GRT MANA RATS SATS THETA VET XEC XTZ",
}
SIZE_DECIMALS = {
    base: decimals
    for table in (_HYPERLIQUID_DECIMALS, _OUR_DECIMALS)
    for decimals, bases in table.items()
    for base in bases.split()
}
BASES = tuple(sorted(SIZE_DECIMALS))
