"""Laws of the ledger of trials: joining is a union, so no order, repetition or branch changes what is counted."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from candlelock.contracts.trial_documents import TrialBatch, TrialRecord
from candlelock.evaluate.trial_ledger import batch_file, count_trials, join, new_batch

records = st.builds(
    TrialRecord,
    kind=st.sampled_from(["search", "experiment"]),
    head=st.just("direction"),
    subject_sha256=st.sampled_from([digit * 64 for digit in "0123456789abcdef"]),
    read_sha256=st.none(),
    learner=st.none(),
    loss=st.none() | st.sampled_from([0.6, 0.7]),
    daily_sharpe=st.none() | st.floats(-1, 1),
    n_days=st.none(),
)
ledgers = st.lists(records, max_size=8)
LIGHT = settings(deadline=None, max_examples=60)


@LIGHT
@given(ledgers, ledgers)
def test_joining_does_not_depend_on_who_comes_first(a: list[TrialRecord], b: list[TrialRecord]) -> None:
    assert join(a, b) == join(b, a)
    assert count_trials([*a, *b], 182) == count_trials([*b, *a], 182) == count_trials(join(a, b), 182)


@LIGHT
@given(ledgers, ledgers, ledgers)
def test_joining_three_takes_no_order(a: list[TrialRecord], b: list[TrialRecord], c: list[TrialRecord]) -> None:
    assert join(join(a, b), c) == join(a, join(b, c)) == join(a, b, c)


@LIGHT
@given(ledgers, ledgers)
def test_joining_again_adds_nothing_and_loses_nothing(a: list[TrialRecord], b: list[TrialRecord]) -> None:
    both = join(a, b)
    assert join(both, both) == join(both, a) == both
    assert {each.model_dump_json() for each in both} == {each.model_dump_json() for each in [*a, *b]}


@LIGHT
@given(ledgers, ledgers)
def test_a_count_never_falls(a: list[TrialRecord], b: list[TrialRecord]) -> None:
    before, after = count_trials(a, 182), count_trials(join(a, b), 182)
    assert after.n_trials >= before.n_trials
    assert after.n_with_sharpe >= before.n_with_sharpe
    assert after.n_trials == after.n_search + after.n_experiments


@LIGHT
@given(ledgers, st.lists(ledgers, max_size=4))
def test_batches_of_branches_add_up_to_what_one_run_would_have_written(
    trunk: list[TrialRecord], branches: list[list[TrialRecord]]
) -> None:
    """Each branch writes its own batch, knowing the trunk alone; files of one name are one file."""
    files: dict[str, TrialBatch] = {}
    for found in branches:
        batch = new_batch(trunk, found)
        if batch is not None:
            files[batch_file(batch)] = batch
    whole = join(trunk, *(batch.records for batch in files.values()))
    assert whole == join(trunk, *branches)
    assert new_batch(whole, [each for found in branches for each in found]) is None
