"""How Hyperliquid writes prices and sizes.

A price has at most 5 significant figures and at most 6 - szDecimals decimals; whole numbers are always allowed. Texts
bear no trailing zeros, for the signature covers them letter by letter (documentation, "Tick and lot size").
"""

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

FIGURES = 5
PRICE_DECIMALS = 6


def limit_text(limit_micro: int, decimals: int, *, buys: bool) -> str:
    """The worst price accepted, never worse than asked: a buyer's is rounded down, a seller's up.

    limit_micro  micro-dollars per lot, > 0
    decimals     szDecimals of the market

    >>> limit_text(670_059, 5, buys=True), limit_text(670_059, 5, buys=False)  # 67005.9
    ('67005', '67006')
    >>> limit_text(12_345, 1, buys=True)  # 0.12345
    '0.12345'
    """
    price = Decimal(limit_micro).scaleb(decimals - 6)
    finest = max(price.adjusted() + 1 - FIGURES, decimals - PRICE_DECIMALS)
    step = Decimal(1).scaleb(min(finest, 0))
    return plain_text((price / step).to_integral_value(ROUND_FLOOR if buys else ROUND_CEILING) * step)


def size_text(lots: int, decimals: int) -> str:
    """A size in the venue's coins.

    >>> size_text(-1493, 5), size_text(20, 0), size_text(100, 2)
    ('0.01493', '20', '1')
    """
    return plain_text(Decimal(abs(lots)).scaleb(-decimals))


def plain_text(value: Decimal) -> str:
    """Without exponent and without trailing zeros.

    >>> plain_text(Decimal("1200.50")), plain_text(Decimal("1E+3")), plain_text(Decimal("0.000"))
    ('1200.5', '1000', '0')
    """
    written = f"{value:f}"
    return written.rstrip("0").rstrip(".") if "." in written else written
