"""Bad input to a stage: one clear error, exit code 2, and every earlier output as it was."""

from __future__ import annotations

import hashlib
import sys
from typing import TYPE_CHECKING

import pytest

from tests.pipeline.project import Project, change_params

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CSV = "data/candles/BBB-USD-1h.csv"


def edit(file: str, old: str, new: str) -> Callable[[Path], None]:
    """Replace the first occurrence of `old`."""

    def change(root: Path) -> None:
        text = (root / file).read_text()
        assert old in text
        (root / file).write_text(text.replace(old, new, 1))

    return change


def edit_row(row: int, column: int, value: str) -> Callable[[Path], None]:
    """Replace one cell of the candle file; row 1 is the first after the header."""

    def change(root: Path) -> None:
        lines = (root / CSV).read_text().splitlines()
        cells = lines[row].split(",")
        cells[column] = value
        lines[row] = ",".join(cells)
        (root / CSV).write_text("\n".join(lines) + "\n")

    return change


def swap_rows(root: Path) -> None:
    """Put a later candle before an earlier one."""
    lines = (root / CSV).read_text().splitlines()
    lines[100], lines[101] = lines[101], lines[100]
    (root / CSV).write_text("\n".join(lines) + "\n")


def repeat_row(root: Path) -> None:
    """Give one candle twice."""
    lines = (root / CSV).read_text().splitlines()
    lines.insert(100, lines[100])
    (root / CSV).write_text("\n".join(lines) + "\n")


CASES: dict[str, tuple[str, Callable[[Path], None], list[str]]] = {
    "unknown key": ("snapshot", edit("params.yaml", "  min_rows:", "  min_row:"), ["params.yaml:", "min_rows"]),
    "wrong type": ("snapshot", edit("params.yaml", "min_rows: 1000", "min_rows: many"), ["min_rows", "'many'"]),
    "out of range": (
        "split",
        edit("params.yaml", "test_frac: 0.25", "test_frac: 25"),
        ["split.test_frac", "less than 1"],
    ),
    "duplicate key": (
        "snapshot",
        edit("params.yaml", "seed: 42", "seed: 42\nseed: 43"),
        ["params.yaml:", "duplicate key"],
    ),
    "wrong columns": ("snapshot", edit(CSV, "close", "last"), ["BBB-USD-1h.csv", "close"]),
    "text in a number": ("snapshot", edit_row(50, 4, "n/a"), ["BBB-USD-1h.csv", "n/a", "51"]),
    "unsorted": ("snapshot", swap_rows, ["BBB-USD-1h.csv:102"]),
    "duplicate time": ("snapshot", repeat_row, ["BBB-USD-1h.csv:102"]),
    "high below low": ("snapshot", edit_row(50, 2, "0.01"), ["BBB-USD-1h.csv", "high", "51"]),
    "empty file": ("snapshot", lambda root: (root / CSV).write_text(""), ["BBB-USD-1h.csv", "empty"]),
    "too few rows": ("snapshot", lambda root: change_params(root, {"snapshot": {"min_rows": 2401}}), ["2400", "2401"]),
    "missing symbol": ("snapshot", lambda root: (root / CSV).unlink(), ["BBB/USD"]),
    "empty segment": (
        "split",
        lambda root: change_params(root, {"split": {"embargo_bars": 700}}),
        ["split", "labelled rows"],
    ),
    "unknown head": ("tune", lambda root: None, ["directoin", "direction"]),
    "corrupt table": ("causality", lambda root: _truncate(root / "data/features/AAA-USD.parquet"), ["AAA-USD.parquet"]),
    "candles edited after the snapshot": (
        "features",
        lambda root: _flip(root / "data/snapshot/AAA-USD.parquet"),
        ["AAA-USD.parquet"],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_one_clear_error_and_nothing_lost(case: str, copy: Project) -> None:
    stage, spoil, expected = CASES[case]
    spoil(copy.root)
    before = _outputs(copy.root)
    head = ["directoin"] if case == "unknown head" else []
    answer = copy.run(sys.executable, "-m", "stages", stage, *head, expect=2)
    for text in ("error[", "found", "expected", "help", *expected):
        assert text in answer.stderr
    assert "Traceback" not in answer.stderr
    assert _outputs(copy.root) == before


def test_dvc_keeps_the_last_good_outputs_when_a_stage_refuses(copy: Project) -> None:
    swap_rows(copy.root)
    before = _outputs(copy.root)
    copy.dvc("repro", expect=255)
    assert _outputs(copy.root) == before


def _outputs(root: Path) -> dict[str, str]:
    files = [
        path
        for folder in ("data", "models", "reports")
        for path in sorted((root / folder).rglob("*"))
        if path.is_file()
    ]
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files if "candles" not in path.parts}


def _truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def _flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
