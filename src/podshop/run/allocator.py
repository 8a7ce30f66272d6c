"""The allocator that a fund file asks for, and the gate before it."""

from podshop.nouns import Mandate
from podshop.run.config.sections import AllocatorSection, Fund, SignalSeat
from podshop.treasury import Allocator, Gate, Graduated, Rules
from podshop.treasury.graduated import Allocating

# Annual net Sharpe ratio expected of a book before it has any evidence. A judgement, not a measurement: a strategy that
# everybody knows is worth something, and what trades more often pays its costs more often. Chosen before any of the
# policies was run on history, and not changed since.
PRIOR_SHARPE = {"swing": 0.5, "intraday": 0.3, "scalping": 0.1}


def allocator_of(file: Fund) -> Allocator:
    """The treasury's agent, with a prior for each book."""
    section = file.allocator
    return Allocator(
        kind=section.kind,
        window_days=section.window_days,
        prior=tuple(prior_sharpe(mandate, file.signals, dict(section.prior_sharpe)) for mandate in file.mandates),
        rules=Rules(
            prior_days=section.prior_days,
            invest_all_from=section.invest_all_from,
            back_from=section.back_from,
            floor=section.floor,
            cap=section.cap,
            band=section.band,
            turnover=section.turnover,
        ),
    )


def graduated_of(file: Fund, allocator: Allocating) -> Graduated | None:
    """The gate before an allocator; None where it is off. Drawdowns count in the mandates' volatility targets."""
    section = file.graduation
    if section.kind == "off":
        return None
    return Graduated(
        allocator=allocator,
        gate=Gate(
            floor_days=section.floor_days,
            review_days=section.review_days,
            psr=section.psr,
            seed_dsr=section.seed_dsr,
            full_dsr=section.full_dsr,
            seed_share=section.seed_share,
            out_from=section.out_from,
            cool_off_days=section.cool_off_days,
            alive=section.alive,
            alarm=section.alarm,
        ),
        trials=section.trials or None,
        volatility=tuple(mandate.volatility_target for mandate in file.mandates),
        start=(section.start,) * len(file.mandates),
        signed=section.signer == "person",
    )


def compounds(section: AllocatorSection) -> bool:
    """Whether gains beyond the high-water mark are risked."""
    return section.compound == "always" or (section.compound == "by_kind" and section.kind != "shrunk")


def prior_sharpe(mandate: Mandate, seats: tuple[SignalSeat, ...], told: dict[str, float]) -> float:
    """What is expected of a book: of the family it listens to most, if the fund file says, else of its horizon."""
    family_of = {seat.name: getattr(seat.agent, "family", "") for seat in seats}
    heard: dict[str, float] = {}
    for name, weight in mandate.listens.items():
        family = family_of.get(name, "")
        heard[family] = heard.get(family, 0.0) + abs(weight)
    most = max(heard, key=lambda one: heard[one])
    return told.get(most, (PRIOR_SHARPE | told)[mandate.horizon])
