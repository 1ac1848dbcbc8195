"""The one way a kernel is compiled: strict arithmetic, no interpreter lock, a cache keyed by what the kernels say."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar, cast

import numba

if TYPE_CHECKING:
    from collections.abc import Callable

Kernel = TypeVar("Kernel", bound="Callable[..., object]")
FOLDER = Path(__file__).parent


def _digest_sources() -> str:
    digest = hashlib.sha256()
    for path in sorted(FOLDER.glob("*.py")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


# SHA-256 of every kernel's source: numba's own cache does not see a change in another file that a kernel calls.
SOURCES_DIGEST = _digest_sources()


def compiled(function: Kernel) -> Kernel:
    """Compile on first use. Never fastmath: sums keep their order, so that wider registers give the same bits.

    Without numba's runtime, `_nrt`, a kernel cannot allocate, and slicing an array does not count references: a live
    bar takes a quarter of the time.
    """
    before = numba.config.CACHE_DIR
    numba.config.CACHE_DIR = str(FOLDER / "__pycache__" / SOURCES_DIGEST[:16])
    try:
        return cast("Kernel", numba.njit(nogil=True, error_model="numpy", cache=True, _nrt=False)(function))
    finally:
        numba.config.CACHE_DIR = before
