"""The model in use, asked about the rows that a new one is judged on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from candlelock.artifacts import documents
from candlelock.contracts import files
from candlelock.contracts.documents import Calibrator, Conformal, Threshold, utc_text
from candlelock.contracts.errors import InputError, Problem
from candlelock.contracts.select_documents import Selection
from candlelock.serve.bundle import load_bundle
from candlelock.serve.bundle_folders import read_features
from candlelock.split.joined import read_feature_tables, symbol_columns
from candlelock.split.rows import feature_matrix

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from candlelock.contracts.stage_params import FeaturesParams
    from candlelock.serve.bundle import Array


def ask_incumbent(root: Path, head: str, features: FeaturesParams, rows: pd.DataFrame) -> Array | None:
    """Its p_up on the `rows` of `read_test_rows`, (n_rows,); None where `incumbents/<head>` has no bundle.

    Raises InputError for a bundle that is broken, knows labels that end after the first of these decisions, or asks for
    features that are not built.
    """
    folder = root / files.HeadFiles(head).incumbent
    if not folder.is_dir():
        _refuse_unfetched(folder)
        return None
    _refuse_seen(folder, rows)
    built = read_feature_tables(root, features)
    x, names = feature_matrix(rows, built, symbol_columns(built, features))
    asked = read_features(folder)
    if missing := [name for name in asked if name not in names]:
        found = f"{len(missing)} of its {len(asked)} features are not built: {', '.join(missing[:5])}"
        help_line = "build them too (features.groups, features.yml), or take the bundle away"
        raise InputError(Problem("incumbent-features", str(folder), found, "features of this project", help_line))
    place = {name: number for number, name in enumerate(names)}
    return load_bundle(folder).predict(x[:, [place[name] for name in asked]])


def _refuse_unfetched(folder: Path) -> None:
    tracked = folder.with_name(f"{folder.name}.dvc")
    if tracked.is_file():
        found, help_line = f"{tracked.name}, and no folder", f"fetch it with `dvc pull {tracked}`"
        raise InputError(Problem("incumbent-missing", str(folder), found, "the bundle that DVC tracks", help_line))


def _refuse_seen(folder: Path, rows: pd.DataFrame) -> None:
    """By what the bundle's documents say of the rows they were fitted on."""
    last = max(
        documents.read(folder / "selection.json", Selection).seen.last_label_end_utc,
        documents.read(folder / "calibrator.json", Calibrator).last_label_end_utc,
        documents.read(folder / "conformal.json", Conformal).last_label_end_utc,
        documents.read(folder / "threshold.json", Threshold).last_label_end_utc,
    )
    first = utc_text(int(rows["decision_time_ms"].min()))
    if last > first:
        found = f"labels up to {last}, where test begins at {first}"
        help_line = "take a bundle that was made before these rows, or newer candles for test"
        raise InputError(Problem("incumbent-saw-test", str(folder), found, "a model that saw none of test", help_line))
