"""The areas "fitting" and "selection": the flow with one function changed, and the audit of what it fitted."""

from __future__ import annotations

from benchmarks.leakzoo.flow import area_of
from benchmarks.leakzoo.flow_catalogue import FITTING, SELECTION

FITTING_AREA = area_of("fitting", FITTING)
SELECTION_AREA = area_of("selection", SELECTION)
