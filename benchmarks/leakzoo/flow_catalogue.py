"""The areas "fitting" and "selection": which changed flows there are."""

from __future__ import annotations

from typing import Any

import stages.train
from benchmarks.leakzoo import flow_learners as g
from benchmarks.leakzoo import flow_mutations as f
from benchmarks.leakzoo.flow_mutations import (
    ALL_READERS,
    IN_SAMPLE,
    ON_TEST,
    OUTSIDE,
    PEEKS,
    VALUES,
    Change,
    Mutation,
    nothing,
    of,
)
from candlelock.select import fit as select_fit
from candlelock.train import members

SCALED = {"select": {"scaling": "standard"}}
EVERY_STEP = ["sparse", "correlation", "mutual_information", "f_test", "importance", "stability", "count", "pca"]
LOOSE = {"min_mutual_information": 0.0, "max_p_value": 0.999, "min_gain_frac": 0.0, "min_stable_frac": 0.1}


def _of(*segments: str) -> Any:  # noqa: ANN401
    return lambda rows, *_: of(rows, *segments)


def _with(*segments: str) -> Any:  # noqa: ANN401
    """Training rows and these."""
    return lambda rows, trains: trains | of(rows, *segments)


def _leak(area: str, name: str, what: str, stage: str, change: Change, *codes: str, core: bool = False,
          params: dict[str, Any] | None = None) -> Mutation:  # fmt: skip
    return Mutation(name, area, what, stage, change, frozenset(codes), core, params=params or {})


def _quiet(area: str, name: str, what: str, stage: str, change: Change, core: bool = False,
           params: dict[str, Any] | None = None) -> Mutation:  # fmt: skip
    return Mutation(name, area, what, stage, change, frozenset({PEEKS}), core, True, params or {})


def _clean(area: str, name: str, what: str, stage: str = "select", change: Change = nothing, is_quiet: bool = False,
           **params: Any) -> Mutation:  # fmt: skip  # noqa: ANN401
    return Mutation(name, area, what, stage, change, is_quiet=is_quiet, params=params)


FITTING = (
    _leak("fitting", "scaler_on_all_rows", "scaled by the mean and deviation of all rows", "select",
          f.scaled_on(_of()), ON_TEST, core=True, params=SCALED),
    _quiet("fitting", "scaler_on_all_rows_quiet", "the same, the ledger is told of train", "select",
           f.scaled_on(_of(), is_quiet=True), core=True, params=SCALED),
    _leak("fitting", "scaler_on_train_for_folds", "the folds are scaled by all of train", "select",
          f.scaled_on(_of("train")), OUTSIDE, params=SCALED),
    _leak("fitting", "zscore_of_all_rows", "features standardised by all rows before any stage", "select",
          f.seen_through(f.standardised, *ALL_READERS), VALUES, core=True),
    _leak("fitting", "imputer_on_all_rows", "missing features filled with the mean of all rows", "select",
          f.seen_through(f.imputed, *ALL_READERS), VALUES, core=True),
    _leak("fitting", "imputer_in_train_stage", "the same, in the training stage alone", "train",
          f.seen_through(f.imputed, stages.train), VALUES),
    _leak("fitting", "pca_on_all_rows", "principal components of all rows for the features", "select",
          f.seen_through(f.rotated, *ALL_READERS), VALUES, core=True),
    _leak("fitting", "winsorised_by_all_rows", "features clipped at quantiles of all rows", "select",
          f.seen_through(f.winsorised, *ALL_READERS), VALUES),
    _leak("fitting", "encoder_on_all_rows", "a feature becomes the mean label of its hour over all rows", "select",
          f.seen_through(f.encoded, *ALL_READERS), VALUES, core=True),
    _leak("fitting", "oversampled_from_test", "rows of test are drawn into each fit", "train",
          g.resampled(_of("test")), ON_TEST, core=True),
    _quiet("fitting", "oversampled_from_test_quiet", "the same, not noted", "train",
           g.resampled(_of("test"), is_quiet=True), core=True),
    _leak("fitting", "weights_from_all_rows", "classes balanced by their share in all rows", "train",
          g.balanced_by(_of(), is_noted=True), ON_TEST, core=True),
    _quiet("fitting", "weights_from_all_rows_quiet", "the same, not noted", "train", g.balanced_by(_of())),
    _leak("fitting", "calibrated_on_decide", "the calibrator is fitted on the rows of the threshold", "calibrate",
          g.calibrated_on(fit="decide"), OUTSIDE, core=True),
    _leak("fitting", "calibrated_on_test", "the calibrator is fitted on test", "calibrate",
          g.calibrated_on(fit="test"), ON_TEST, core=True),
    _quiet("fitting", "calibrated_on_test_quiet", "the same, not noted", "calibrate",
           g.calibrated_on(fit="test", is_quiet=True)),
    _leak("fitting", "stacked_in_sample", "the stack is fitted on what models say of their own rows", "train",
          g.predicted_in_sample(), OUTSIDE, IN_SAMPLE, core=True),
    _leak("fitting", "stacked_in_sample_quiet", "the same, not noted", "train",
          g.predicted_in_sample(is_quiet=True), OUTSIDE, IN_SAMPLE, PEEKS),
    _leak("fitting", "stacked_on_calibrate", "the stack is fitted on the calibrator's rows", "calibrate",
          g.calibrated_on(stack="calibrate"), OUTSIDE, core=True),
    _leak("fitting", "stacked_on_test", "the stack is fitted on test", "calibrate",
          g.calibrated_on(stack="test"), ON_TEST),
    _leak("fitting", "stopped_on_test", "test says when to stop", "train",
          g.stopped_on(_of("test")), ON_TEST, core=True),
    _quiet("fitting", "stopped_on_test_quiet", "the same, not noted", "train",
           g.stopped_on(_of("test"), is_quiet=True), core=True),
    _leak("fitting", "stopped_on_fold", "the validated fold says when to stop", "train",
          g.stopped_on(g.next_fold), OUTSIDE, core=True),
    _leak("fitting", "stopped_on_seen_rows", "rows that are fitted on say when to stop", "train",
          g.stopped_on(head=lambda rows, trains, latest: trains), IN_SAMPLE, core=True),
    _leak("fitting", "tail_not_purged", "labels before the stopping tail reach into it", "train",
          g.stopped_on(head=g.before), IN_SAMPLE),
    _leak("fitting", "folds_not_purged", "labels of a fold's training rows reach into it", "tune",
          f.folded(f.unpurged, members), IN_SAMPLE, core=True),
    _leak("fitting", "folds_without_embargo", "the folds' embargo is left out", "tune",
          f.folded(f.without_embargo, members), IN_SAMPLE, core=True),
    _leak("fitting", "folds_purged_in_rows", "four rows before a fold are left out, of all symbols together", "tune",
          f.folded(f.purged_in_rows, members), IN_SAMPLE, core=True),
    _leak("fitting", "folds_reversed", "models train on what comes after their fold", "tune",
          f.folded(f.later_rows, members), OUTSIDE, core=True),
    _leak("fitting", "folds_on_both_sides", "models train on both sides of their fold, purged", "tune",
          f.folded(f.both_sides, members), OUTSIDE),
    _leak("fitting", "refitted_on_everything", "the final model is fitted on all rows, test too", "train",
          g.fitted_on(_with("calibrate", "decide", "test"), part="final"), ON_TEST, core=True),
    _quiet("fitting", "refitted_on_everything_quiet", "the same, not noted", "train",
           g.fitted_on(_with("calibrate", "decide", "test"), part="final", is_quiet=True), core=True),
    _leak("fitting", "refit_on_test", "the last fit before a model is served sees the first tenth of test", "train",
          g.fitted_on(lambda rows, trains: trains | _first_of_test(rows), part="refit"), ON_TEST, core=True),
    _quiet("fitting", "refit_on_test_quiet", "the same, not noted", "train",
           g.fitted_on(lambda rows, trains: trains | _first_of_test(rows), is_quiet=True, part="refit"), core=True),
    _leak("fitting", "refitted_before_test", "the final model is fitted on all rows before test", "train",
          g.fitted_on(_with("calibrate", "decide"), part="final"), OUTSIDE, IN_SAMPLE),
    _quiet("fitting", "more_rows_quiet", "each learner is given the first tenth of test, not noted", "train",
           g.fitted_on(lambda rows, trains: trains | _first_of_test(rows), is_quiet=True), core=True),
    _leak("fitting", "rounds_from_all_rows", "the number of rounds comes from a fit on all rows", "train",
          g.stopped_on(_of("test"), lambda rows, trains, latest: of(rows, "train", "calibrate", "decide")), ON_TEST,
          core=True),
    _clean("fitting", "clean_flow", "the flow as it is", is_quiet=True),
    _clean("fitting", "clean_standard", "scaled by train", select={"scaling": "standard"}, is_quiet=True),
    _clean("fitting", "clean_minmax", "scaled by the range of train", select={"scaling": "minmax"}),
    _clean("fitting", "clean_scaled_robustly", "scaled by quartiles of train", select={"scaling": "robust"}),
    _clean("fitting", "clean_four_folds", "four folds, with features for so few rows", "split", split={"n_folds": 4},
           select={"steps": ["sparse", "correlation", "count"], "max_features": 12}),
    _clean("fitting", "clean_flow_no_embargo", "no embargo asked for", "split", split={"embargo_bars": 0}),
    _clean("fitting", "clean_flow_long_embargo", "an embargo of 90 bars", "split", split={"embargo_bars": 90}),
    _clean("fitting", "clean_horizon_12", "labels twelve bars ahead", "split",
           heads={"direction": {"horizon_bars": 12}}),
    _clean("fitting", "clean_large_test", "a larger test", "split", split={"test_frac": 0.35}, is_quiet=True),
    _clean("fitting", "clean_oversampled", "rows of train are drawn again into each fit", "train",
           g.resampled(lambda rows, trains: trains)),
    _clean("fitting", "clean_balanced", "classes balanced by the fit's own rows", "train",
           g.balanced_by(lambda rows, trains: trains), is_quiet=True),
    _clean("fitting", "clean_half_of_train", "each learner is given the later half of its rows", "train",
           g.fitted_on(lambda rows, trains: _later_half(rows, trains))),
    _clean("fitting", "clean_long_tail", "the last third says when to stop", "train", train={"early_stop_frac": 0.33}),
    _clean("fitting", "clean_platt_alone", "one calibrator", "calibrate", calibrate={"methods": ["platt"]}),
)  # fmt: skip

SELECTION = (
    _leak("selection", "selected_on_all_rows", "features selected on all rows", "select",
          f.selected_on(_of(), lambda rows, *_: of(rows)), ON_TEST, core=True),
    _quiet("selection", "selected_on_all_rows_quiet", "the same, the ledger is told of train", "select",
           f.selected_on(_of(), lambda rows, *_: of(rows), is_quiet=True), core=True,
           params={"select": {"steps": ["sparse", "correlation", "count"], "max_features": 12}}),
    _leak("selection", "selected_before_test", "features selected on all rows before test", "select",
          f.selected_on(_of("train", "calibrate", "decide")), OUTSIDE),
    _leak("selection", "selected_on_test", "features selected on test", "select",
          f.selected_on(_of("test")), ON_TEST),
    _leak("selection", "selected_once_for_folds", "the folds use the selection of all of train", "select",
          f.selected_on(_of("train"), lambda rows, *_: of(rows, "train")), OUTSIDE, core=True),
    _leak("selection", "selected_on_fold", "each fold's selection sees the fold too", "select",
          f.selected_on(_of("train"), lambda rows, number, mask: of(rows, "train") & (f.fold_of(rows) <= number)),
          OUTSIDE, core=True),
    _leak("selection", "selected_not_purged", "labels of the selection's rows reach into the fold", "select",
          f.folded(f.unpurged, select_fit), OUTSIDE, IN_SAMPLE, core=True),
    _leak("selection", "selected_without_embargo", "the same, without the embargo alone", "select",
          f.folded(f.without_embargo, select_fit), OUTSIDE, IN_SAMPLE),
    _leak("selection", "pruned_on_all_rows", "twins are looked for among all rows", "select",
          f.pruned_on(_of()), ON_TEST, core=True),
    _quiet("selection", "pruned_on_all_rows_quiet", "the same, the ledger is told of train", "select",
           f.pruned_on(_of(), is_quiet=True)),
    _leak("selection", "searched_on_test", "settings are chosen on test", "tune",
          g.searched_on(lambda rows, fold: of(rows, "test")), ON_TEST, core=True),
    _quiet("selection", "searched_on_test_quiet", "the same, the ledger is told of the folds", "tune",
           g.searched_on(lambda rows, fold: of(rows, "test"), is_quiet=True), core=True),
    _leak("selection", "searched_on_seen_rows", "settings are chosen on the rows they were fitted on", "tune",
          g.searched_on(lambda rows, fold: fold.trains), OUTSIDE, IN_SAMPLE, core=True),
    _leak("selection", "searched_on_decide", "settings are chosen on the rows of the threshold", "tune",
          g.searched_on(lambda rows, fold: of(rows, "decide")), OUTSIDE),
    _leak("selection", "threshold_on_test", "the threshold is chosen on test", "calibrate",
          g.calibrated_on(threshold="test"), ON_TEST, core=True),
    _quiet("selection", "threshold_on_test_quiet", "the same, not noted", "calibrate",
           g.calibrated_on(threshold="test", is_quiet=True), core=True),
    _leak("selection", "threshold_on_calibrate", "the threshold is chosen on the calibrator's rows", "calibrate",
          g.calibrated_on(threshold="calibrate"), OUTSIDE, core=True),
    _leak("selection", "threshold_on_train", "the threshold is chosen on train", "calibrate",
          g.calibrated_on(threshold="train"), OUTSIDE),
    _leak("selection", "calibrator_chosen_on_test", "the method of calibration is chosen on test", "calibrate",
          g.calibrated_on(choose="test"), ON_TEST, core=True),
    _quiet("selection", "calibrator_chosen_on_test_quiet", "the same, not noted", "calibrate",
           g.calibrated_on(choose="test", is_quiet=True)),
    _leak("selection", "calibrator_chosen_on_decide", "the method of calibration is chosen on decide", "calibrate",
          g.calibrated_on(choose="decide"), OUTSIDE),
    _quiet("selection", "seed_chosen_on_test", "of five seeds the best on test, not noted", "train",
           g.seeded_by_test(), core=True),
    _clean("selection", "clean_selection", "the selection as it is"),
    _clean("selection", "clean_every_step", "all steps of the selection",
           select={"steps": EVERY_STEP, "scaling": "standard", **LOOSE}, is_quiet=True),
    _clean("selection", "clean_no_step", "no step at all", select={"steps": []}),
    _clean("selection", "clean_components", "principal components of train", select={"steps": ["pca"]}),
    _clean("selection", "clean_count", "the best twelve features",
           select={"steps": ["sparse", "correlation", "count"], "max_features": 12}, is_quiet=True),
    _clean("selection", "clean_few_rows", "scores from 300 rows", select={"max_rows": 300}),
    _clean("selection", "clean_more_trials", "four trials for each learner", "tune", tune={"n_trials": 4}),
    _clean("selection", "clean_other_seed", "another seed", seed=7),
    _clean("selection", "clean_few_trades", "a threshold for any number of trades", "calibrate",
           calibrate={"min_trades": 1}),
)  # fmt: skip


def _first_of_test(rows: Any) -> Any:  # noqa: ANN401
    test = of(rows, "test")
    opened = rows["open_time_ms"].to_numpy()
    return test & (opened < sorted(opened[test])[len(opened[test]) // 10])


def _later_half(rows: Any, trains: Any) -> Any:  # noqa: ANN401
    opened = rows["open_time_ms"].to_numpy()
    return trains & (opened >= sorted(opened[trains])[trains.sum() // 2])


MUTATIONS = {each.name: each for each in (*FITTING, *SELECTION)}
