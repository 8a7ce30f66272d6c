"""Several speak and the tightest holds; whoever fails lets no risk grow, and every reduction pass."""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from operator import attrgetter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from podshop.nouns.limits import NORMAL_95, InForce, Limits, RiskView
from podshop.nouns.time import DAY_NS, HOUR_NS
from podshop.nouns.verdict import HALTED_STATE, REDUCE_ONLY_STATE, RUNNING
from podshop.risk import office
from podshop.risk.gate import pass_reductions, refusal
from podshop.risk.office import Nonsense, Office, judge, sound
from tests.risk.views import mandate, view

CALLS = 1000
SEATS = ("correlation", "drawdown", "monitor")


def content(version: int = 7) -> Limits:
    """An answer with an opinion on everything."""
    return Limits(
        reason="all is well", version=version, max_weight=np.full(4, 0.04), max_gross=0.9, max_net=0.8, max_order=0.03,
        max_var=0.015, tail=1.8, cluster=np.array([[True, True, False, False]]), max_cluster=np.array([0.06]),
        throttle=np.array([1.0, 0.5, 1.0]), fund_throttle=0.9, state=RUNNING,
    )  # fmt: skip


# ------------------------------------------------------------------ merging


def test_nobodys_opinion_leaves_the_fund_file() -> None:
    found = judge({"a": Limits(reason="", version=7)}, view()).in_force
    asked = view().mandate
    for each in fields(InForce):
        if each.name not in ("version", "by"):
            assert np.array_equal(getattr(found, each.name), getattr(asked, each.name)), each.name
    assert found.version == 7
    assert set(found.by.values()) == {"fund file"}


def test_of_several_the_tightest_holds() -> None:
    other = replace(
        content(), reason="", max_weight=np.array([0.01, 0.05, 0.05, 9.0]), max_gross=2.0, max_var=0.01, tail=1.7,
        cluster=np.array([[True, True, False, False], [False, True, True, True]]), max_cluster=np.array([0.2, 0.1]),
        throttle=np.array([0.0, 1.0, 1.0]), state=REDUCE_ONLY_STATE,
    )  # fmt: skip
    found = judge({"a": content(), "b": other}, view()).in_force
    assert found.max_weight.tolist() == [0.01, 0.04, 0.04, 0.04]
    assert (found.max_gross, found.max_net, found.max_order, found.max_var, found.tail) == (0.9, 0.8, 0.03, 0.01, 1.8)
    assert found.throttle.tolist() == [0.0, 0.5, 1.0]
    assert (found.fund_throttle, found.state, found.latched) == (0.9, REDUCE_ONLY_STATE, REDUCE_ONLY_STATE)
    assert found.cluster.tolist() == [[True, True, False, False], [False, True, True, True]]
    assert found.max_cluster.tolist() == [0.06, 0.1]
    assert (found.by["max_gross"], found.by["max_var"], found.by["tail"]) == ("a", "b", "a")
    assert found.reason == "a: all is well"


@given(st.integers(0, 2**32 - 1))
def test_no_opinion_ever_loosens_anything_and_order_does_not_matter(seed: int) -> None:
    rng = np.random.default_rng(seed)

    def random() -> Limits:
        said = content()
        changed: dict[str, Any] = {key: float(rng.uniform(0, 2)) for key in ("max_gross", "max_net", "max_order")}
        changed |= {"tail": float(rng.uniform(NORMAL_95, 3)), "throttle": rng.uniform(0, 1, 3)}
        changed |= {"max_weight": rng.uniform(0, 0.1, 4), "state": int(rng.integers(0, 3))}
        quiet = {key: None for key in changed if rng.random() < 0.3}
        return replace(said, **(changed | quiet))

    said = {name: random() for name in SEATS}
    all_in, fewer = judge(said, view()).in_force, judge({name: said[name] for name in SEATS[:2]}, view()).in_force
    backwards = judge({name: said[name] for name in SEATS[::-1]}, view()).in_force
    for key in ("max_weight", "max_gross", "max_net", "max_order", "max_var", "throttle", "fund_throttle"):
        assert np.all(getattr(all_in, key) <= getattr(fewer, key)), key
        assert np.all(getattr(all_in, key) <= getattr(view().mandate, key)), key
        assert np.array_equal(getattr(all_in, key), getattr(backwards, key)), key
    assert all_in.tail >= fewer.tail
    assert all_in.state >= fewer.state


def test_what_an_agent_raises_stays_and_what_a_fault_raises_does_not() -> None:
    first = judge({"a": content(), "b": None}, view()).in_force
    assert (first.state, first.latched) == (REDUCE_ONLY_STATE, RUNNING)
    again = judge({"a": content(), "b": content()}, view(in_force=first)).in_force
    assert again.state == RUNNING
    halted = judge({"a": replace(content(), state=HALTED_STATE), "b": None}, view()).in_force
    assert (halted.state, halted.latched) == (HALTED_STATE, HALTED_STATE)
    after = replace(view().health, state=halted.latched)
    assert judge({"a": content(), "b": content()}, view(health=after)).in_force.state == HALTED_STATE


def test_a_state_of_the_fund_file_holds_and_is_not_latched() -> None:
    found = judge({"a": content()}, view(mandate=mandate(state=REDUCE_ONLY_STATE))).in_force
    assert (found.state, found.latched) == (REDUCE_ONLY_STATE, RUNNING)


def test_while_an_agent_is_faulty_nothing_that_it_said_is_loosened() -> None:
    """Its throttle of a half is kept, and its clusters, though it is silent now; ten silences add no rows."""
    strict = judge({"a": Limits(reason="", version=7), "b": content()}, view()).in_force
    seen = view(in_force=strict)
    for version in range(8, 18):
        seen = replace(seen, version=version)
        found = judge({"a": Limits(reason="", version=version), "b": None}, seen).in_force
        for key in ("max_weight", "max_gross", "max_net", "max_order", "max_var", "tail", "throttle", "fund_throttle"):
            assert np.array_equal(getattr(found, key), getattr(strict, key)), key
        assert found.cluster.tolist() == strict.cluster.tolist()
        assert found.state == REDUCE_ONLY_STATE
        seen = replace(seen, in_force=found)
    assert judge({"a": content(18), "b": content(18)}, replace(seen, version=18)).in_force.state == RUNNING


# ------------------------------------------------------------------ the door


NOT_A_NUMBER = (np.nan, np.inf, -np.inf, -0.1, True, "0.05", None.__class__, [0.1], 1j, 10**400)
WRONG: list[tuple[str, Any]] = [
    *[(key, value) for key in ("max_gross", "max_net", "max_order", "max_var", "tail") for value in NOT_A_NUMBER],
    *[("fund_throttle", value) for value in (*NOT_A_NUMBER, 1.01)],
    *[
        (key, value)
        for key in ("max_weight", "max_cluster", "throttle")
        for value in (0.05, [0.05] * 4, np.full(9, 0.05), np.full((4, 1), 0.05), np.array(["0.1"] * 4), "1")
    ],
    *[("max_weight", np.array([0.1, bad, 0.1, 0.1])) for bad in (np.nan, np.inf, -1.0)],
    *[("throttle", np.array([0.1, 1.0, bad])) for bad in (np.nan, np.inf, -1.0, 1.5)],
    *[("max_cluster", np.array([bad])) for bad in (np.nan, np.inf, -1.0)],
    ("max_weight", np.array([None] * 4)),
    ("max_weight", np.full(4, 0.1) + 0j),
    ("cluster", np.ones((1, 4))),
    ("cluster", np.ones((1, 5), np.bool_)),
    ("cluster", np.ones(4, np.bool_)),
    ("cluster", np.array(True)),
    ("cluster", np.ones((2, 4), np.bool_)),
    ("cluster", "all"),
    ("cluster", None),
    ("max_cluster", None),
    ("tail", 1.6),
    *[("state", value) for value in (-1, 3, 1.0, True, "HALTED", np.nan)],
    *[("version", value) for value in (-1, 6, 8, 7.0, None, True, "7")],
    ("reason", None),
    ("reason", b"calm"),
]


@pytest.mark.parametrize(("field", "value"), WRONG, ids=lambda x: repr(x)[:40])
def test_nonsense_is_refused_with_the_fields_name(field: str, value: Any) -> None:
    assert sound(content(), view())
    wrong = replace(content(), **{field: value})
    named = "cluster" if field in ("cluster", "max_cluster") else field
    ruling = judge({"a": wrong}, view())
    assert ruling.heard == {}
    assert named in ruling.faults["a"]
    assert ruling.in_force.state == REDUCE_ONLY_STATE


@pytest.mark.parametrize(
    "answer", [None, 0, "", {}, [], object(), Limits, ValueError("x"), mandate()], ids=lambda each: type(each).__name__
)
def test_what_is_no_answer_is_refused(answer: object) -> None:
    with pytest.raises(Nonsense):
        sound(answer, view())


def test_an_answer_is_a_copy() -> None:
    """An agent that later writes into what it said changes nothing."""
    mine = content()
    ruling = Office({"a": lambda seen: mine, "b": lambda seen: content()})(view())
    assert mine.max_weight is not None is not mine.cluster
    mine.max_weight[:] = 9.0
    mine.cluster[:] = False
    assert ruling.heard["a"].max_weight is not None
    assert ruling.heard["a"].max_weight.tolist() == [0.04] * 4
    assert ruling.heard["a"].cluster is not None
    assert ruling.heard["a"].cluster.any()
    assert ruling.in_force.cluster.any()


@pytest.mark.parametrize("of", ["mandate.max_weight", "in_force.throttle", "shadows.equity_micro", "daily", "weights"])
def test_nobody_can_write_into_what_all_are_shown(of: str) -> None:
    def scribbler(seen: RiskView) -> Limits:
        array = attrgetter(of)(seen)
        array.flags.writeable = True
        array[:] = 9
        return content()

    shown = view()
    ruling = Office({"a": scribbler, "b": lambda seen: content()})(shown)
    assert "WRITEABLE" in ruling.faults["a"]
    assert not (attrgetter(of)(shown) == 9).any()


def test_patience_is_counted_in_versions() -> None:
    assert sound(content(5), view(), patience=2).version == 5
    with pytest.raises(Nonsense, match="too old"):
        sound(content(4), view(), patience=2)


def test_who_is_not_due_keeps_its_word_and_who_was_faulty_is_asked_at_once() -> None:
    """Every four hours; the first answer of the afternoon raises."""
    asked: list[int] = []

    def slow(seen: RiskView) -> Limits:
        asked.append(seen.version)
        if seen.version == 12:
            raise ValueError("not now")
        return replace(content(seen.version), max_var=0.001 * seen.version)

    office, last, state = Office({"slow": slow}, {"slow": 4 * HOUR_NS}), None, []
    for hour in range(8, 18):
        seen = view(version=hour, at_ns=hour * HOUR_NS, in_force=view().in_force if last is None else last.in_force)
        last = office(seen, last)
        state.append((last.in_force.state, round(1000 * last.in_force.max_var)))
    assert asked == [8, 12, 13, 16]
    assert state == [(0, 8)] * 4 + [(1, 8)] + [(0, 13)] * 3 + [(0, 16)] * 2


# ------------------------------------------------------------------ a thousand cycles of each failure


class Evil(Limits):
    """Passes for limits until somebody looks."""

    def __getattribute__(self, name: str) -> Any:
        if name in ("max_gross", "throttle"):
            raise ZeroDivisionError("boo")
        return super().__getattribute__(name)


class Untold(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no text")


def raising(rng: np.random.Generator, seen: RiskView) -> Any:
    raise rng.choice(np.array([ValueError, ZeroDivisionError, RecursionError, MemoryError, SystemExit, Untold]))("x")


def silent(rng: np.random.Generator, seen: RiskView) -> Any:
    return None


def slow(rng: np.random.Generator, seen: RiskView) -> Any:
    """It would allow everything, about a world that is gone."""
    return Limits(reason="old news", version=int(rng.integers(0, seen.version)))


def garbage(rng: np.random.Generator, seen: RiskView) -> Any:
    if rng.random() < 0.1:
        return Evil(reason="", version=seen.version)
    field, value = WRONG[rng.integers(len(WRONG))]
    return replace(content(), **({"version": seen.version} | {field: value if field != "version" else -1}))


Failure = Callable[[np.random.Generator, RiskView], Any]


def a_fund_with_one_bad_agent(failure: Failure, seat: str, asked: Any = Office) -> tuple[int, int, int]:
    """Increases that passed, reductions that were refused, faults that were counted, over CALLS cycles."""
    rng = np.random.default_rng(SEATS.index(seat))

    def healthy(seen: RiskView) -> Limits:
        return Limits(reason="", version=seen.version, throttle=np.ones(3), max_var=1.0)

    agents: dict[str, Any] = dict.fromkeys(SEATS, healthy) | {seat: lambda seen: failure(rng, seen)}
    increases = refused = faults = 0
    seen = view()
    for version in range(8, 8 + CALLS):
        seen = replace(seen, version=version)
        ruling = asked(agents)(seen)
        faults += seat in ruling.faults
        held = rng.integers(-50, 50, 4)
        net = rng.integers(-80, 80, 4)
        first, code = np.zeros(4, np.int64), np.zeros(4, np.int64)
        pass_reductions(held, net, np.full(4, 10**6), np.zeros(4, np.int64), first, code)
        toward_flat = np.where(held * net < 0, np.minimum(abs(net), abs(held)) * np.sign(net), 0)
        refused += int((first != toward_flat).sum())
        for leg in net - first:
            increases += int(leg != 0 and refusal(ruling.in_force.state, 0, 0, 1, 10**18) == 0)
        seen = replace(seen, in_force=ruling.in_force, health=replace(seen.health, state=ruling.in_force.latched))
    return increases, refused, faults


@pytest.mark.parametrize("seat", SEATS)
@pytest.mark.parametrize("failure", [raising, silent, slow, garbage])
def test_one_bad_agent_lets_no_risk_grow_and_every_reduction_pass(failure: Failure, seat: str) -> None:
    assert a_fund_with_one_bad_agent(failure, seat) == (0, 0, CALLS)


def test_an_office_that_passes_over_the_bad_ones_lets_risk_grow() -> None:
    """The mutant: whoever fails is left out, as if it had no opinion."""

    def careless(agents: dict[str, Any]) -> Callable[[RiskView], office.Ruling]:
        def ask(seen: RiskView) -> office.Ruling:
            ruling = Office(agents)(seen)
            return ruling._replace(in_force=office.merge(ruling.heard, seen, {}))

        return ask

    for failure in (raising, silent, slow, garbage):
        assert a_fund_with_one_bad_agent(failure, "monitor", careless)[0] > CALLS


# ------------------------------------------------------------------ the page


def test_the_agent_of_the_page_runs_and_is_heard() -> None:
    """The example in docs/risk.md, as it stands there."""
    page = (Path(__file__).parents[2] / "docs" / "risk.md").read_text(encoding="utf-8")
    words: dict[str, Any] = {"dataclass": dataclass, "RiskView": RiskView, "Limits": Limits, "DAY_NS": DAY_NS}
    exec(page.split("```python\n")[1].split("```")[0], words)  # noqa: S102  our own page
    gross = []
    for day in range(7):  # 1970-01-05 was a Monday
        seen = view(at_ns=(4 + day) * DAY_NS)
        ruling = Office({"weekends": words["QuietWeekends"]()})(seen)
        assert ruling.faults == {}
        gross.append(ruling.in_force.max_gross)
    assert gross == [1.0] * 5 + [0.5] * 2
