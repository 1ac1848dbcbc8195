"""Computes qlib's Alpha158 over a folder in qlib's layout; symbol, time and features in features.parquet.

    python alpha158_call.py FOLDER 30min

Runs inside qlib's environment, in the folder that it writes to.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import qlib
from qlib.contrib.data.loader import Alpha158DL

FEATURES = {"kbar": {}, "price": {"windows": [0], "feature": ["OPEN", "HIGH", "LOW"]}, "rolling": {}}


def main() -> None:
    """Alpha158's own configuration but for VWAP0, computed in this process."""
    qlib.init(provider_uri=sys.argv[1], kernels=1)
    began = time.process_time()
    loader = Alpha158DL({"feature": Alpha158DL.get_feature_config(FEATURES)}, freq=sys.argv[2])
    features = loader.load("all")["feature"]
    seconds = time.process_time() - began
    features.rename_axis(["time", "symbol"]).reset_index().to_parquet("features.parquet")
    Path("seconds.json").write_text(json.dumps(seconds))


if __name__ == "__main__":
    main()
