"""The locked numeric environment: what is set before NumPy, torch and BLAS load, so that bytes depend on no machine.

NumPy, OpenBLAS, MKL and oneDNN choose code paths by CPU and by thread count, and the paths round differently. These
variables pin one path that every x86-64 machine has. Trees get their thread count from params and do not need pinning.
"""

from __future__ import annotations

import os
import sys

from candlelock.contracts.errors import EnvironmentFaultError, Problem

LOCKED = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "NUMEXPR_NUM_THREADS": "1",
    "OMP_WAIT_POLICY": "passive",
    "OPENBLAS_CORETYPE": "Haswell",
    "NPY_DISABLE_CPU_FEATURES": "X86_V4 AVX512_ICL",
    "MKL_CBWR": "COMPATIBLE",
    "ONEDNN_MAX_CPU_ISA": "SSE41",
    "ATEN_CPU_CAPABILITY": "default",
    "TZ": "UTC",
}


def lock() -> None:
    """Set the variables. Call it first in a process; EnvironmentFaultError when a numeric library is loaded already."""
    early = sorted({"numpy", "torch", "pyarrow"} & set(sys.modules))
    if early and any(os.environ.get(name) != value for name, value in LOCKED.items()):
        raise EnvironmentFaultError(
            Problem(
                "environment-late",
                "process start",
                f"{', '.join(early)} already imported",
                "the environment locked first",
                "lock before any numeric import",
            )
        )
    os.environ.update(LOCKED)
