"""Between our whole numbers and a venue's decimals: exact both ways, in Decimal, text at the edge.

Hyperliquid trades cheap coins by the thousand (kPEPE), in sizes of `decimals` places. Its prices have at most
6 - decimals places, so a micro-dollar per lot is a price it can show; of those it takes only five significant figures,
or whole numbers.
"""

import math
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from podshop.nouns import ConfigError, Instrument
from podshop.nouns.symbols import locate

FIGURES = 5
MOST_DIGITS = 24


@dataclass(frozen=True, slots=True)
class Unit:
    """How a market is written.

    venue_name  BTC, kPEPE;  coins  one of its units is;  decimals  of a size in units: a lot is 10^-decimals of one
    """

    name: str
    venue_name: str
    coins: int
    decimals: int

    def price(self, micro: float) -> Decimal:
        """Micro-dollars per lot -> USD per unit."""
        whole = Decimal(micro) if isinstance(micro, int) else Decimal(repr(micro))
        return whole.scaleb(self.decimals - 6)

    def size(self, lots: int) -> Decimal:
        """Lots -> units."""
        return Decimal(lots).scaleb(-self.decimals)

    def lots(self, size: Decimal) -> int | None:
        """Units -> lots; None where it is no whole number of them."""
        lots = size.scaleb(self.decimals)
        return int(lots) if lots == lots.to_integral_value() else None

    def micro(self, price: Decimal) -> int | None:
        """USD per unit -> micro-dollars per lot; None where the tick rule forbids the price."""
        micro = price.scaleb(6 - self.decimals)
        figures = len(price.normalize().as_tuple().digits)
        if micro != micro.to_integral_value() or (figures > FIGURES and price != price.to_integral_value()):
            return None
        return int(micro)


def unit_of(instrument: Instrument) -> Unit:
    """How an instrument is written on Hyperliquid. Raises ConfigError where its lot is no power of ten of a unit."""
    venue_name, coins = locate(instrument.name, "hyperliquid_perp")
    decimals = -math.log10(instrument.lot_size / coins)
    if abs(decimals - round(decimals)) > 1e-9 or round(decimals) < 0:
        found = f"a lot of {instrument.name} is {instrument.lot_size / coins:g} of what Hyperliquid trades"
        raise ConfigError(f"{found}, expected 1, 0.1, 0.01 ...: the loopback exchange cannot write its sizes")
    return Unit(instrument.name, venue_name, coins, round(decimals))


def text(value: Decimal | int | float) -> str:
    """A number as the venues write it: no exponent, always a decimal point."""
    number = value if isinstance(value, Decimal) else Decimal(repr(value))
    plain = format(number, "f")
    if "." not in plain:
        return f"{plain}.0"
    plain = plain.rstrip("0")
    return f"{plain}0" if plain.endswith(".") else plain


def usd(micro: int) -> str:
    """Micro-dollars as text in USD."""
    return text(Decimal(micro).scaleb(-6))


def decimal_of(value: object) -> Decimal | None:
    """A number that came as text; None where it is none, or not finite, or absurdly long."""
    if not isinstance(value, str) or len(value) > 40:
        return None
    try:
        number = Decimal(value)
    except InvalidOperation:
        return None
    return number if number.is_finite() and abs(number.adjusted()) <= MOST_DIGITS else None
