"""The one way a function is compiled: strict arithmetic, no interpreter lock, a cache keyed by what the sources say."""

from __future__ import annotations

import functools
import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import numba
from numba.core.caching import InTreeCacheLocator, UserWideCacheLocator

if TYPE_CHECKING:
    from collections.abc import Callable

Kernel = TypeVar("Kernel", bound="Callable[..., object]")


def compiled(function: Kernel) -> Kernel:
    """Compile on first use. Never fastmath: sums keep their order, so that wider registers give the same bits.

    Without numba's runtime, `_nrt`, a kernel cannot allocate, and slicing an array or handing it on does not count
    references: a live bar takes a quarter of the time, the back-test's pass a tenth.
    """
    before = numba.config.CACHE_LOCATOR_CLASSES
    numba.config.CACHE_LOCATOR_CLASSES = ",".join(f"{__name__}.{each.__name__}" for each in (BySources, OfUser))
    try:
        return cast("Kernel", numba.njit(nogil=True, error_model="numpy", cache=True, _nrt=False)(function))
    finally:
        numba.config.CACHE_LOCATOR_CLASSES = before


@functools.cache
def digest_sources(folder: Path) -> str:
    """SHA-256 of every source in a folder, and of this one, which says how they are compiled."""
    digest = hashlib.sha256()
    for path in [*sorted(folder.glob("*.py")), Path(__file__)]:
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


class BySources(InTreeCacheLocator):  # type: ignore[misc]
    """Machine code lies beside the sources, or below NUMBA_CACHE_DIR, in a folder named by what all sources there say.

    numba's own locators do not see a change in another file that a function calls; and copies of a project share this
    one where the variable is set.
    """

    def __init__(self, function: Any, file: str) -> None:  # noqa: ANN401
        super().__init__(function, file)
        folder = Path(file).parent
        self._cache_path = str(Path(numba.config.CACHE_DIR or folder / "__pycache__") / digest_sources(folder)[:16])


class OfUser(UserWideCacheLocator):  # type: ignore[misc]
    """The same in the user's own cache, where the project's folders cannot be written."""

    def __init__(self, function: Any, file: str) -> None:  # noqa: ANN401
        super().__init__(function, file)
        self._cache_path = str(Path(self.get_cache_path()) / digest_sources(Path(file).parent)[:16])
