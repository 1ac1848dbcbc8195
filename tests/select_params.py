"""Selection parameters that keep every feature as it is, for tests to change one at a time."""

from __future__ import annotations

from typing import Any

KEEP_ALL: dict[str, Any] = {
    "steps": [],
    "scaling": "none",
    "rank_by": "auc",
    "max_rows": 1_000_000,
    "max_null_frac": 0.5,
    "max_correlation": 0.95,
    "n_bins": 8,
    "min_mutual_information": 0.0,
    "max_p_value": 0.05,
    "min_gain_frac": 0.001,
    "n_periods": 4,
    "min_auc_edge": 0.0,
    "min_stable_frac": 0.5,
    "max_features": 1000,
    "min_variance_frac": 0.95,
}
