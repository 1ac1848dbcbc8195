"""The areas of the zoo, in the order of the page; a new one is added here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.leakzoo.features import FEATURE_AREA, JOIN_AREA
from benchmarks.leakzoo.fill_plants import FILL_AREA
from benchmarks.leakzoo.flow_areas import FITTING_AREA, SELECTION_AREA
from benchmarks.leakzoo.label_plants import LABEL_AREA
from benchmarks.leakzoo.split_plants import SPLIT_AREA

if TYPE_CHECKING:
    from benchmarks.leakzoo.specimen import Area

AREAS: tuple[Area, ...] = (
    FEATURE_AREA, JOIN_AREA,
    LABEL_AREA, SPLIT_AREA, FITTING_AREA, SELECTION_AREA, FILL_AREA,
)  # fmt: skip
