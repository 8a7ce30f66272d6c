"""The symbol table knows every file of the real history, and Hyperliquid's recorded lots."""

import pytest

from podshop.nouns import ConfigError
from podshop.nouns.symbols import BASES, VENUES, instrument, locate


def test_every_file_of_the_real_history_has_a_market(shared_data):
    folders = [*shared_data.glob("bars/*/*"), *shared_data.glob("funding/*_perp")]
    assert folders
    for folder in folders:
        venue = folder.parent.name if folder.parent.parent.name == "bars" else folder.name
        stems = {locate(base, venue)[0] for base in BASES}
        assert {path.stem for path in folder.glob("*.parquet")} <= stems


# Recorded from Hyperliquid's `meta`, July 2023: shared/venues/fixtures/hyperliquid/info_meta.json.
@pytest.mark.parametrize(
    ("base", "decimals"), [("BTC", 5), ("ETH", 4), ("ATOM", 2), ("MATIC", 1), ("DYDX", 1), ("SOL", 2)]
)
def test_a_lot_is_the_last_decimal_that_hyperliquid_takes(base, decimals):
    assert instrument(base).lot_size == float(f"1e-{decimals}")


def test_a_thousand_coins_are_one_unit_and_one_lot():
    assert locate("BONK", "hyperliquid_perp") == ("kBONK", 1000)
    assert locate("BONK", "binance_perp") == ("1000BONKUSDT", 1000)
    assert instrument("BONK").lot_size == 1000.0
    assert instrument("BONK").lot_micro_scale == 1e9


def test_every_base_is_found_at_every_venue_under_its_own_name():
    for venue in VENUES:
        stems = [locate(base, venue)[0] for base in BASES]
        assert len(set(stems)) == len(stems)


@pytest.mark.parametrize(
    ("base", "venue", "says"),
    [
        ("BCT", "okx_perp", "'BCT' is not a market in the symbol table, did you mean 'BTC'?"),
        ("pepe", "okx_perp", "did you mean 'PEPE'?"),
        ("BTC", "okx_prep", "'okx_prep' is not a venue we know, expected one of okx_perp, "),
        ("BTC", "okx_prep", ", did you mean 'okx_perp'?"),
    ],
)
def test_an_unknown_name_is_refused_with_the_nearest(base, venue, says):
    with pytest.raises(ConfigError) as refused:
        locate(base, venue)
    assert says in str(refused.value)
