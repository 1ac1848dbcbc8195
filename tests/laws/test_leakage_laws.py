"""Laws of the leakage checks of rows: intervals as every pair says, no order matters, every copy is found."""

from __future__ import annotations

from itertools import product

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from candlelock.leakage.copies import check_copies
from candlelock.leakage.intervals import check_intervals
from candlelock.leakage.rows import LEFT_OUT, LabelledRows
from candlelock.leakage.universe import check_universe


@st.composite
def labelled(draw: st.DrawFn) -> LabelledRows:
    """Rows of two symbols in any order, labels of any length, some unknown, in three parts or none."""
    n_rows = draw(st.integers(1, 25))

    def numbers(low: int, high: int) -> np.ndarray:
        return np.array(draw(st.lists(st.integers(low, high), min_size=n_rows, max_size=n_rows)), np.int64)

    start = numbers(0, 60)
    names = ("train", "validation", "test")
    return LabelledRows(
        ("A", "B"), numbers(0, 1), start, start + numbers(1, 12), numbers(0, 9) > 0, names, numbers(LEFT_OUT, 2)
    )


def reordered(rows: LabelledRows, order: np.ndarray) -> LabelledRows:
    times = rows.decision_ms[order], rows.label_end_ms[order]
    return LabelledRows(rows.symbols, rows.symbol[order], *times, rows.is_known[order], rows.parts, rows.part[order])


@given(labelled(), st.integers(0, 6))
@settings(max_examples=300)
def test_a_pair_of_parts_is_found_if_and_only_if_two_of_their_labels_meet(rows: LabelledRows, embargo: int) -> None:
    found = {leak.subject for leak in check_intervals(rows, embargo).findings if leak.code == "label-overlap"}
    used = [row for row in range(len(rows.part)) if rows.is_known[row] and rows.part[row] != LEFT_OUT]
    met = set()
    for one, other in product(used, used):
        distance = max(
            rows.decision_ms[other] - rows.label_end_ms[one], rows.decision_ms[one] - rows.label_end_ms[other], 0
        )
        if rows.part[one] < rows.part[other] and distance <= embargo:
            met.add(f"{rows.parts[rows.part[one]]} before {rows.parts[rows.part[other]]}")
    assert found == met


@given(labelled(), st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_no_verdict(rows: LabelledRows, chance: object) -> None:
    order = np.arange(len(rows.part))
    chance.shuffle(order)  # type: ignore[attr-defined]
    first, second = check_intervals(rows, 2), check_intervals(reordered(rows, order), 2)
    assert [(each.code, each.subject, each.used_utc) for each in first.findings] == [
        (each.code, each.subject, each.used_utc) for each in second.findings
    ]
    assert first.evidence == second.evidence


@given(st.integers(0, 10_000), st.integers(0, 5), st.integers(3, 12))
@settings(max_examples=40, deadline=None)
def test_exact_copies_are_all_counted_whatever_the_table(seed: int, n_copies: int, n_columns: int) -> None:
    rng = np.random.default_rng(seed)
    n_rows = 400
    values = rng.normal(size=(n_rows, n_columns)) * 10.0 ** rng.integers(-8, 8, n_columns)
    part = np.repeat([0, 1], n_rows // 2)
    source, target = rng.choice(200, n_copies, replace=False), 200 + rng.choice(200, n_copies, replace=False)
    values[target] = values[source]
    times = np.arange(n_rows, dtype=np.int64) * 60_000
    known = np.ones(n_rows, dtype=bool)
    rows = LabelledRows(("A",), np.zeros(n_rows, np.int64), times, times + 1, known, ("train", "test"), part)
    check = check_copies(rows, [f"x{at}" for at in range(n_columns)], values)
    assert check.evidence["n_exact"] == n_copies
    assert check.passed == (n_copies == 0)


SPANS = st.tuples(st.integers(0, 100), st.integers(0, 100)).map(lambda each: (min(each), max(each)))


@given(st.dictionaries(st.sampled_from("ABCDEF"), SPANS, min_size=1), st.sets(st.sampled_from("ABCDEF"), min_size=1))
def test_taking_every_symbol_is_never_at_fault(known: dict[str, tuple[int, int]], chosen: set[str]) -> None:
    assert check_universe(known, known).passed
    some = {name: known[name] for name in chosen & set(known)}
    if some and not check_universe(some, known).passed:
        assert set(known) - set(some)
