"""Holds the features of a group against what a reference expects: the same nulls, the same numbers."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, get_args

import numpy as np

from candlelock.artifacts.user_files import read_catalogue
from candlelock.contracts.registry import select
from candlelock.contracts.stage_params import FeatureGroup
from candlelock.features.build import build_features
from candlelock.features.market import CANDLE_FIELDS
from tests.architecture.code_tree import ROOT
from tests.oracles.specimens import gapless, specimen
from tests.oracles.talib_formulas import FORMULAS, Candles

if TYPE_CHECKING:
    from collections.abc import Mapping

    from candlelock.contracts.registry import Feature
    from candlelock.features.market import Array, Market

BEGUN = 4_600  # twice the longest warm-up: TA-Lib's own first values no longer matter


@functools.cache
def registered() -> tuple[Feature, ...]:
    return select(read_catalogue(ROOT), get_args(FeatureGroup))


@functools.cache
def built(name: str) -> dict[str, Array]:
    """Every feature of a specimen, built once for all tests of a process."""
    return build_features(specimen(name), registered())


def features_of(market: Market, *names: str) -> dict[str, Array]:
    """These features of a market; the first axis is the symbol."""
    entries = {entry.name: entry for entry in registered()}
    return build_features(market, tuple(entries[name] for name in names))


def expected_where_known(market: Market, entry: Feature, expected: Array) -> Array:
    """Null where there is no candle and inside the warm-up."""
    begins = np.argmax(market.has_bar, axis=1)[:, None] + entry.warmup(market.bar_ms)
    is_early = np.arange(market.close.shape[1])[None] < begins
    return np.where(is_early | ~market.has_bar, np.nan, expected)


def assert_agrees(name: str, group: str, expected: Mapping[str, Array], rtol: float = 1e-9) -> None:
    """Every feature of the group has an expectation and meets it on the specimen `name`.

    A difference may be `rtol` of the value or of the feature's spread on the specimen, whichever is larger.
    """
    market, values = specimen(name), built(name)
    entries = [entry for entry in registered() if entry.group == group]
    assert {entry.name for entry in entries} == expected.keys()
    for entry in entries:
        wanted = expected_where_known(market, entry, expected[entry.name])
        assert np.isfinite(wanted).mean() > 0.1, entry.name
        found = values[entry.name]
        unlike = np.argwhere(np.isnan(found) != np.isnan(wanted))
        assert not len(unlike), f"{entry.name}: null in one alone at {unlike[:5].tolist()} of {len(unlike)}"
        spread = float(np.nanstd(wanted))
        np.testing.assert_allclose(found, wanted, rtol=rtol, atol=rtol * spread, err_msg=entry.name)


def assert_agrees_with_talib(name: str, group: str, apart: tuple[str, ...] = ()) -> None:
    """The features that TA-Lib has, against TA-Lib, to 1e-8 of the indicator's spread, once its beginning has faded.

    TA-Lib is given whole ticks: of decimal prices it takes two equal moves for unequal ones wherever they round apart.
    Where ours is null because nothing moved or a bar has no range, TA-Lib has 0. `apart`: features tested elsewhere.
    """
    market, ticks = gapless(name)
    formulas = FORMULAS[group]
    in_registry = {each.name for each in registered() if each.group == group and "TA-Lib" in (each.reference or "")}
    assert in_registry <= formulas.keys() | set(apart)
    prices = {field: np.rint(ticks * getattr(market, field)[0]) for field in CANDLE_FIELDS[:4]}
    candles = Candles(**prices, volume=market.volume[0])
    values = features_of(market, *formulas)
    for feature, formula in formulas.items():
        with np.errstate(invalid="ignore", divide="ignore"):
            wanted = formula(candles)[BEGUN:]
        found = values[feature][0, BEGUN:]
        is_known = np.isfinite(found)
        assert is_known.mean() > 0.99, feature
        assert not np.nan_to_num(wanted[~is_known]).any(), feature
        assert np.abs(found - wanted)[is_known].max() <= 1e-8 * wanted[is_known].std(), feature
