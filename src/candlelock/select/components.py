"""Principal components of standardised features."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from candlelock.contracts.select_documents import PcaStep
from candlelock.select.scaling import fit_column

if TYPE_CHECKING:
    from candlelock.select.train_rows import TrainRows

Array = npt.NDArray[np.float64]


def fit_pca(rows: TrainRows, min_variance_frac: float) -> PcaStep:
    """As many components, the strongest first, as carry at least that share of the standardised features' variance.

    An unknown value counts as the mean. The loading of largest size in each component is positive, so that its sign
    does not hang on the algorithm. Source: Pearson 1901; scikit-learn's `PCA` on the covariance matrix.
    """
    from sklearn.decomposition import PCA

    fitted = [fit_column(column, "standard") for column in rows.x.T]
    centre, scale = np.asarray([mean for mean, _ in fitted]), np.asarray([spread or 1.0 for _, spread in fitted])
    z = np.nan_to_num((rows.x - centre) / scale, nan=0.0)
    with np.errstate(invalid="ignore"):  # shares of no variance at all
        found = PCA(svd_solver="covariance_eigh").fit(z)
    total = float(found.explained_variance_.sum())
    shares = found.explained_variance_ / total if total > 0 else np.zeros(len(found.explained_variance_))
    n_kept = min(int(np.searchsorted(np.cumsum(shares), min_variance_frac - 1e-12)) + 1, len(shares))
    components = found.components_[:n_kept]
    largest = components[np.arange(n_kept), np.abs(components).argmax(axis=1)]
    return PcaStep(
        seen=rows.seen(),
        inputs=list(rows.names),
        outputs=[f"component_{number}" for number in range(1, n_kept + 1)],
        centre=centre.tolist(),
        scale=scale.tolist(),
        components=(components * np.sign(largest)[:, None]).tolist(),
        variance_frac=shares[:n_kept].tolist(),
    )
