"""Purple Flea's list of positions: the venue's, netted by coin; or, when the venue does not answer, its own rows."""

from typing import Any

from podshop.venues.exchange.flea import Flea
from podshop.venues.exchange.flea_rows import Agent, Row
from podshop.venues.exchange.flea_text import Answer, cents, number

MOST_ROWS = 50


def positions(flea: Flea, agent: Agent, status: str | None) -> Answer:
    """GET /trade/positions: the venue's; or the database's rows, where `status` or a fault says so."""
    evil, now_ns = flea.loopback.evil, flea.loopback.now_ns()
    if status == "all":
        return 200, _database(flea, agent, agent.rows[-MOST_ROWS:])
    if evil.fires("database"):
        return 200, _database(flea, agent, [row for row in agent.rows if row.status == "open"])
    seen = flea.loopback.twin.account(now_ns)
    lots = {} if evil.fires("empty") or not agent.funded else seen.lots
    shown = [_position(flea, agent, name, held) for name, held in lots.items()]
    return 200, {"positions": shown, "count": len(shown), "source": "hyperliquid"}


def _database(flea: Flea, agent: Agent, rows: list[Row]) -> dict[str, Any]:
    prices = flea.prices()
    shown = [row.camel(agent.id, prices.get(row.coin, row.entry_price)) for row in rows]
    return {"positions": shown, "count": len(shown), "source": "database"}


def _position(flea: Flea, agent: Agent, name: str, held: int) -> dict[str, Any]:
    """One coin as the venue has it; its id is that of the first open row of the same side, if there is one."""
    unit, truth = flea.loopback.units[name], flea.loopback.truth
    side, sign, leverage = "long" if held > 0 else "short", 1 if held > 0 else -1, truth.leverage[name]
    entry, size = float(unit.price(truth.account.entry_micro[name])), float(unit.size(abs(held)))
    mark = float(unit.price(truth.mark_micro(name)))
    gain, basis = sign * (mark - entry) * size, entry * size / leverage
    row = next((r for r in agent.rows if r.coin == unit.venue_name and r.side == side and r.status == "open"), None)
    liquidation = mark - sign * truth.equity_micro() / 1e6 * 0.97 / size
    return {
        "position_id": row.id if row else None,
        "coin": unit.venue_name,
        "ticker": unit.venue_name,
        "side": side,
        "size": number(size),
        "size_usd": number(cents(size * entry)),
        "entry_price": number(round(entry, 6)),
        "current_price": number(flea.prices().get(unit.venue_name, mark)),
        "leverage": leverage,
        "margin_used": number(round(size * mark / leverage, 6)),
        "liquidation_price": number(round(liquidation, 2)) if liquidation > 0 else None,
        "unrealized_pnl": number(round(gain, 6)),
        "return_on_equity": f"{gain / basis:.10f}" if basis else "0.0",
        "source": "hyperliquid",
    }
