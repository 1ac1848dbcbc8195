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


def sources_digest() -> str:
    """SHA-256 of every kernel's source: numba's own cache does not see a change in another file that a kernel calls."""
    digest = hashlib.sha256()
    for path in sorted(FOLDER.glob("*.py")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def compiled(function: Kernel) -> Kernel:
    """Compile on first use. Never fastmath: sums keep their order, so that wider registers give the same bits."""
    before = numba.config.CACHE_DIR
    numba.config.CACHE_DIR = str(FOLDER / "__pycache__" / _DIGEST)
    try:
        return cast("Kernel", numba.njit(nogil=True, error_model="numpy", cache=True)(function))
    finally:
        numba.config.CACHE_DIR = before


_DIGEST = sources_digest()[:16]
