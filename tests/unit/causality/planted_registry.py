"""What the planted features declare, and which checks have to find each of them; written as a plug-in's registry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from candlelock.artifacts import documents

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class Declared:
    """A feature's look-back in bars, inputs and availability, and the checks that find it at fault."""

    warmup_bars: int
    inputs: str
    found_by: frozenset[str] = frozenset()
    available_at: str = "close"


def _at(warmup_bars: int, inputs: str, found_by: str, available_at: str = "close") -> Declared:
    return Declared(warmup_bars, inputs, frozenset(found_by.split()), available_at)


SEES_AHEAD = "prefix future replay"
PLANTED = {
    "next_return": _at(1, "close", SEES_AHEAD),
    "return_ahead_6": _at(0, "close", SEES_AHEAD),
    "next_low_touched": _at(0, "low", SEES_AHEAD),
    "centred_mean": _at(6, "close", SEES_AHEAD),
    "centred_max": _at(3, "high close", SEES_AHEAD),
    "central_difference": _at(1, "close", SEES_AHEAD),
    "pivot_high": _at(10, "high", "prefix"),
    "last_pivot": _at(50, "high close", "prefix replay"),
    "rare_peek": _at(1, "close", "replay"),
    "bars_to_gap": _at(0, "close", SEES_AHEAD),
    "whole_zscore": _at(0, "volume", SEES_AHEAD),
    "whole_min_max": _at(0, "high low close", SEES_AHEAD),
    "over_maximum": _at(0, "close", SEES_AHEAD),
    "quantile_bin": _at(0, "close", SEES_AHEAD),
    "whole_rank": _at(0, "close", SEES_AHEAD),
    "detrended": _at(0, "close", SEES_AHEAD),
    "hour_encoded": _at(0, "close open_time", SEES_AHEAD),
    "since_last_row": _at(0, "close", SEES_AHEAD),
    "share_of_length": _at(0, "open_time", "prefix process"),
    "many_rows": _at(0, "close", "prefix"),
    "filtered_both_ways": _at(60, "close", SEES_AHEAD),
    "savitzky_golay": _at(9, "close", SEES_AHEAD),
    "reversed_decay": _at(0, "close", SEES_AHEAD),
    "low_pass": _at(0, "close", SEES_AHEAD),
    "kernel_smoothed": _at(2, "close", SEES_AHEAD),
    "days_high": _at(23, "high close open_time", SEES_AHEAD),
    "months_mean": _at(0, "close open_time", SEES_AHEAD),
    "weeks_volume": _at(0, "volume open_time", SEES_AHEAD),
    "joined_early": _at(3, "close open_time", SEES_AHEAD),
    "running_higher_bar": _at(3, "close open_time", "availability", "x4_close"),
    "higher_bar_one_early": _at(3, "close", "availability", "x4_close"),
    "filled_backwards": _at(0, "close open_time", SEES_AHEAD),
    "interpolated": _at(6, "close open_time", SEES_AHEAD),
    "return_over_gap": _at(1, "close", "replay live"),
    "filled_return": _at(1, "close", "replay live"),
    "since_first_row": _at(0, "close", "replay live"),
    "growing_mean": _at(20, "close", "replay live"),
    "drawdown": _at(20, "close", "replay live"),
    "balance_volume": _at(20, "close volume", "replay live"),
    "decay_too_short": _at(20, "close", "replay live"),
    "window_too_short": _at(20, "close", "replay"),
    "one_bar_too_short": _at(9, "close", "replay live"),
    "row_number": _at(0, "open_time", "replay live"),
    "noise_by_row": _at(0, "open_time", "replay live"),
    "cached_zscore": _at(0, "close", "process"),
    "cached_by_start": _at(4, "close", "process"),
    "noise": _at(0, "close", "repetition"),
    "clock": _at(0, "close", "repetition"),
    "call_number": _at(0, "close", "repetition"),
    "changes_frame": _at(1, "close", "repetition"),
    "fails_when_short": _at(1, "close", "replay live"),
    "reads_volume": _at(1, "close", "inputs"),
    "reads_time": _at(1, "close", "inputs"),
}
HONEST = {
    "honest_return_1": _at(1, "close", ""),
    "honest_return_12": _at(12, "close", ""),
    "honest_mean_20": _at(19, "close", ""),
    "honest_zscore_24": _at(23, "close", ""),
    "honest_median_9": _at(8, "close", ""),
    "honest_decay": _at(120, "close", ""),
    "honest_std_10": _at(10, "close", ""),
    "honest_skew_30": _at(30, "close", ""),
    "honest_kurt_30": _at(30, "close", ""),
    "honest_rank_24": _at(23, "close", ""),
    "honest_quantile_24": _at(23, "close", ""),
    "honest_stochastic": _at(13, "high low close", ""),
    "honest_range": _at(0, "high low close", ""),
    "honest_body": _at(0, "open close", ""),
    "honest_rsi": _at(14, "close", ""),
    "honest_signed_volume": _at(12, "close volume", ""),
    "honest_volume_ratio": _at(23, "volume", ""),
    "honest_correlation": _at(23, "close volume", ""),
    "honest_hour": _at(0, "open_time", ""),
    "honest_weekday": _at(0, "open_time", ""),
    "honest_day_high": _at(23, "high close open_time", ""),
    "honest_higher_close": _at(3, "close", "", "x4_close"),
    "honest_missing_10": _at(9, "close", ""),
}


def write_registry(path: Path, features: dict[str, Declared]) -> None:
    """A plug-in's registry; JSON is YAML."""
    entries = [
        {
            "name": name,
            "group": path.stem,
            "dtype": "float64",
            "unit": "1",
            "warmup_bars": each.warmup_bars,
            "inputs": each.inputs.split(),
            "available_at": each.available_at,
            "formula": "see the function",
        }
        for name, each in features.items()
    ]
    documents.write(path, {"features": entries})
