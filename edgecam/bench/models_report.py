"""What was measured of models: as a table, as JSON, and compared with an earlier run."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from edgecam.bench.figures import columns, compared_with, number
from edgecam.bench.models import CaseResult
from edgecam.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

HEADS = ("model", "input", "threads", "median ms", "p95 ms", "model ms", "per s", "CPU", "MB", "accuracy", "speed")


def models_table(results: Sequence[CaseResult]) -> str:
    """One line per case; speed is relative to the first one."""
    rows = [HEADS]
    for result in results:
        height, width = result.input_hw
        rows.append((
            result.model, f"{width} × {height}", str(result.threads), number(result.median_ms), number(result.p95_ms),
            number(result.inference_ms), number(result.per_second), f"{result.cpu_percent:.0f} %",
            f"{result.memory_mb:.0f}", result.accuracy_text,
            f"{result.ratio:.2f}",
        ))  # fmt: skip
    return columns(rows, right=range(2, len(HEADS)))


def to_json(machine: Mapping[str, Any], results: Sequence[CaseResult]) -> str:
    data = {"kind": "models", "machine": machine, "cases": [result.to_json() for result in results]}
    return json.dumps(data, indent=2, ensure_ascii=False)


def read_results(path: Path) -> tuple[dict[str, Any], list[CaseResult]]:
    """Machine and results of an earlier run.

    Raises:
        DataError: it cannot be read, or is no such file.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        return data["machine"], [CaseResult.from_json(case) for case in data["cases"]]
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}).") from error
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DataError(f"{path}: this was not written by `edgecam bench --json` ({error!r}).") from error


def comparison(
    now: Sequence[CaseResult], before: Sequence[CaseResult], machine: Mapping[str, Any], here: Mapping[str, Any]
) -> str:
    """Each case of this run: milliseconds then and now, and how much quicker it is now.

    Args:
        machine, here: of the earlier run and of this one.
    """
    earlier = {result.key: result for result in before}
    rows = [("model", "input", "threads", "then ms", "now ms", "quicker")]
    for result in now:
        old = earlier.pop(result.key, None)
        height, width = result.input_hw
        rows.append((
            result.model, f"{width} × {height}", str(result.threads),
            number(old.median_ms) if old else "–", number(result.median_ms),
            f"{old.median_ms / result.median_ms:.2f}" if old else "new",
        ))  # fmt: skip
    lines = [compared_with(machine, here), columns(rows, right=(2, 3, 4, 5))]
    if earlier:
        lines.append(f"{len(earlier)} other case{'' if len(earlier) == 1 else 's'} of then not measured now.")
    return "\n".join(lines)
