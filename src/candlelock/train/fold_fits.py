"""The many models that a search fits on one fold, on bins that are built once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from candlelock.train.learner import LEARNERS

if TYPE_CHECKING:
    from candlelock.contracts.stage_params import Frozen
    from candlelock.train.learner import Model
    from candlelock.train.members import FoldSamples
    from candlelock.train.metric import Metric


class FoldFits:
    """Fits one learner on the training rows of a fold again and again, stopped by the rows it validates.

    Of a learner without bins this is its plain `fit`; the models are the same bytes either way. Bins are kept until
    settings come that need others. `device`: as the learner's `fit` takes it.
    """

    def __init__(
        self, name: str, fold: FoldSamples, seed: int, threads: int, device: Literal["cpu", "cuda"] = "cpu"
    ) -> None:
        self._learner, self._fold, self._seed, self._threads = LEARNERS[name], fold, seed, threads
        self._where = {"device": device} if device != "cpu" else {}
        self._kept: tuple[list[Any], Any] | None = None

    def fit(self, settings: Frozen) -> Model:
        """The model of these settings."""
        fold, binned = self._fold, self._learner.binned
        if binned is None:
            return self._learner.fit(fold.trains, fold.validates, settings, self._seed, self._threads, **self._where)
        needed = [getattr(settings, key) for key in binned.keys]
        if self._kept is None or self._kept[0] != needed:
            self._kept = None  # before the next ones are built: two at once may not fit
            bins = binned.build(fold.trains, fold.validates, settings, self._seed, self._threads)
            self._kept = (needed, bins)
        return binned.fit(self._kept[1], settings, self._seed, self._threads, **self._where)

    def loss(self, settings: Frozen, metric: Metric) -> float:
        """Their loss on the rows that the fold validates, by the weights of these."""
        asked = self._fold.validates
        return metric.loss(asked.y, self.fit(settings).predict(asked.x), asked.weights)
