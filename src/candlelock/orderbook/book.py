"""The order book of one symbol, kept from a snapshot and the changes after it. When it held is told in `recording`.

Source: Binance, Spot WebSocket streams, "How to manage a local order book correctly". Changes with u <= lastUpdateId
are dropped; the first one used has U <= lastUpdateId + 1 <= u; each later one has U = u of the one before + 1. Anything
else is a gap: the book is unknown until a snapshot joins up with the changes again. Changes that came before their
snapshot are kept for it.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import deque
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from candlelock.orderbook.messages import Depth, Levels, Snapshot

MAX_WAITING = 1_000  # changes kept for a snapshot: 100 seconds of them; one that is later than that cannot be used


class Quote(NamedTuple):
    """Best bid and ask with their sizes, in units of 1e-8, as of an update id."""

    update_id: int
    bid: int
    bid_size: int
    ask: int
    ask_size: int


class Side:
    """One side of the book. `sign` is 1 for asks and -1 for bids: the best key, sign * price, is the smallest."""

    def __init__(self, sign: int, levels: Levels) -> None:
        self._sign = sign
        self._sizes = {sign * price: size for price, size in levels}
        self._keys = sorted(self._sizes)
        self._last_known = self._keys[-1] if self._keys else None  # a snapshot ends there: what lies beyond is not told

    def change(self, levels: Levels) -> None:
        """Set each level to its new size; 0 removes it, also where it was not known."""
        for price, size in levels:
            key = self._sign * price
            if size:
                if key not in self._sizes:
                    insort(self._keys, key)
                self._sizes[key] = size
            elif self._sizes.pop(key, None) is not None:
                del self._keys[bisect_left(self._keys, key)]

    def best(self) -> tuple[int, int] | None:
        """Price and size of the best level; None when it is not known."""
        return (self._sign * self._keys[0], self._sizes[self._keys[0]]) if self._reaches(1) else None

    def depth(self, n_levels: int) -> int | None:
        """Size of the best `n_levels` together; None unless all of them are known."""
        return sum(self._sizes[key] for key in islice(self._keys, n_levels)) if self._reaches(n_levels) else None

    def _reaches(self, n_levels: int) -> bool:
        is_there = self._last_known is not None and len(self._keys) >= n_levels
        return is_there and self._keys[n_levels - 1] <= (self._last_known or 0)


class Book:
    """Both sides and the update id they stand at, or nothing while the book is unknown."""

    def __init__(self) -> None:
        self.update_id: int | None = None
        self._next_id: int | None = None  # the first id of the next change
        self._waiting: deque[Depth] = deque(maxlen=MAX_WAITING)  # unbroken changes since the book became unknown
        self._bids, self._asks = Side(-1, []), Side(1, [])

    def restart(self, snapshot: Snapshot) -> int | None:
        """Take a snapshot, and the changes that already wait for it, unless the book stands at a later update.

        Returns None, or the update id wanted after the snapshot where the changes do not join up with it: the book is
        unknown then.
        """
        if self.update_id is not None and snapshot.last_id < self.update_id:
            return None
        self.update_id = snapshot.last_id
        self._bids, self._asks = Side(-1, snapshot.bids), Side(1, snapshot.asks)
        waiting = list(self._waiting)
        self._waiting.clear()
        for position, change in enumerate(waiting):
            if (wanted := self._use(change)) is not None:
                self._waiting.extend(waiting[position + 1 :])
                return wanted
        return None

    def apply(self, change: Depth) -> int | None:
        """Apply a change, or keep it for a snapshot. Returns None, or the update id wanted where the ids break off.

        A change that only repeats ids is left out; after any other break the book is unknown.
        """
        wanted = self._next_id
        if wanted is not None and change.last_id < wanted:
            return wanted
        self._next_id = change.last_id + 1
        if wanted is not None and change.first_id != wanted:
            self._lose(change)
            return wanted
        if self.update_id is None:
            self._waiting.append(change)
            return None
        return self._use(change)

    def _use(self, change: Depth) -> int | None:
        """Bring a known book forward by an unbroken change; as `apply`, where the first one is too late for it."""
        wanted = (self.update_id or 0) + 1
        if change.last_id < wanted:
            return None
        if change.first_id > wanted:
            self._lose(change)
            return wanted
        self._bids.change(change.bids)
        self._asks.change(change.asks)
        self.update_id = change.last_id
        return None

    def _lose(self, change: Depth) -> None:
        """Nothing is known but this change."""
        self.update_id = None
        self._waiting.clear()
        self._waiting.append(change)

    def quote(self) -> Quote | None:
        """Best bid and ask; None when the book is unknown or a side is empty."""
        if self.update_id is None or (bid := self._bids.best()) is None or (ask := self._asks.best()) is None:
            return None
        return Quote(self.update_id, *bid, *ask)

    def depth(self, n_levels: int) -> tuple[int | None, int | None]:
        """Size of the best `n_levels` of bids and of asks, in units of 1e-8; None where not all of them are known."""
        if self.update_id is None:
            return None, None
        return self._bids.depth(n_levels), self._asks.depth(n_levels)
