"""Runs freqtrade's commands one after the other in one process: each line of standard input is a JSON list of words."""

from __future__ import annotations

import contextlib
import json
import sys

from freqtrade.main import main

for line in sys.stdin:
    words = json.loads(line)
    print("CALL", words[-1], flush=True)
    with contextlib.suppress(SystemExit):
        main(words)
