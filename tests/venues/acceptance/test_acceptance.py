"""Every adapter against every case that its card claims. What a card does not claim is skipped, and said so."""

import asyncio
import sys

import pytest

from tests.venues.acceptance.cases import CASES, Case
from tests.venues.acceptance.worlds import WORLDS, world


@pytest.mark.parametrize("case", CASES, ids=[c.number for c in CASES])
@pytest.mark.parametrize("name", WORLDS)
def test_acceptance(name: str, case: Case) -> None:
    async def run() -> bool:
        made = await world(name)
        try:
            if not case.claim(made.venue.card):
                return False
            await case.act(made)
            return True
        finally:
            await made.close()

    if not asyncio.run(run()):
        pytest.skip(f"{name} {case.number}: its card does not claim {case.needs}")


def test_cases_are_numbered_and_told(capsys: pytest.CaptureFixture[str]) -> None:
    """Prints what each card leaves out."""
    assert [c.number for c in CASES] == [f"A{n:02d}" for n in range(1, len(CASES) + 1)]
    assert all(c.title for c in CASES)

    async def cards() -> dict[str, list[str]]:
        found = {}
        for name in WORLDS:
            made = await world(name)
            found[name] = [f"{c.number} ({c.needs})" for c in CASES if not c.claim(made.venue.card)]
            await made.close()
        return found

    with capsys.disabled():
        for name, skipped in asyncio.run(cards()).items():
            said = f"{name}: {len(CASES) - len(skipped)} of {len(CASES)} cases"
            sys.stdout.write(f"\nacceptance, {said}; not claimed: {', '.join(skipped)}\n")
