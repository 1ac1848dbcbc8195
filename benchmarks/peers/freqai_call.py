"""Runs one freqtrade command and writes the CPU seconds of FreqAI's features and training, pair by pair.

    python freqai_call.py SECONDS.json backtesting ...

Runs inside freqtrade's environment.
"""

from __future__ import annotations

import functools
import json
import sys
import time
from pathlib import Path
from typing import Any

from freqtrade.freqai.base_models.BaseClassifierModel import BaseClassifierModel
from freqtrade.freqai.data_kitchen import FreqaiDataKitchen
from freqtrade.main import main

SECONDS: dict[str, dict[str, float]] = {"features": {}, "training": {}}


def clock(owner: type, method: str, phase: str) -> None:
    """Add the CPU seconds of a method that has a pair among its arguments to the phase's."""
    inner = getattr(owner, method)

    @functools.wraps(inner)
    def outer(self: object, *args: Any, **named: Any) -> object:  # noqa: ANN401
        pair = named.get("pair") or args[1]
        began = time.process_time()
        answer = inner(self, *args, **named)
        SECONDS[phase][pair] = SECONDS[phase].get(pair, 0.0) + time.process_time() - began
        return answer

    setattr(owner, method, outer)


clock(FreqaiDataKitchen, "use_strategy_to_populate_indicators", "features")
clock(BaseClassifierModel, "train", "training")
try:
    main(sys.argv[2:])
finally:
    Path(sys.argv[1]).write_text(json.dumps(SECONDS))
