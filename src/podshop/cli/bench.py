"""podshop bench"""

from podshop.cli.answer import AsJson, answer


def bench(*, json: AsJson = False) -> None:
    """Measure the loop, the record, the signals and the whole fund on this machine."""
    from podshop.run.bench import bench as measure

    result = measure()
    answer(result, "\n".join(_lines(result)), as_json=json)


def _lines(result: dict[str, object], prefix: str = "") -> list[str]:
    """One line for each number: `loop.cycles_per_second   123,456`."""
    lines = []
    for key, value in result.items():
        if isinstance(value, dict):
            lines += _lines(value, f"{prefix}{key}.")
        else:
            text = (
                f"{value:>14,.3f}" if isinstance(value, float) else f"{value:>14,}" if isinstance(value, int) else value
            )
            lines.append(f"{prefix + key:<36} {text}")
    return lines
