"""Where each artifact lies, from the project's root. `dvc.yaml` names the same paths; a test keeps them in step."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

PARAMS = Path("params.yaml")
REGISTRY = Path("features.yml")
PLUGINS = Path("plugins")
DOWNLOADS = Path("data/download")
SEARCHES = Path("data/work/tune")
ORDER_BOOKS = Path("data/orderbooks")
SNAPSHOT = Path("data/snapshot")
MANIFEST = SNAPSHOT / "manifest.json"
VERSIONS = Path("data/versions")
INCUMBENTS = Path("incumbents")
FEATURES = Path("data/features")
FEATURE_REPORT = Path("reports/features.json")
FEATURE_PAGE = Path("reports/features.html")
CAUSALITY_REPORT = Path("reports/causality.json")
CONTROLS_REPORT = Path("reports/controls.json")
QUALITY_REPORT = Path("reports/quality.json")
QUALITY_PAGE = Path("reports/quality.html")

MEMBERS, MEMBER_INDEX = "members", "members.json"  # folder of the members inside a head's models, and what it holds


@dataclass(frozen=True)
class HeadFiles:
    """The artifacts of one head."""

    head: str

    @property
    def rows(self) -> Path:
        """The split table."""
        return Path("data/split") / self.head / "rows.parquet"

    @property
    def members(self) -> Path:
        """Raw probabilities of every member."""
        return Path("data/predictions") / self.head / "members.parquet"

    @property
    def predictions(self) -> Path:
        """Calibrated probabilities and signals."""
        return Path("data/predictions") / self.head / "calibrated.parquet"

    def fits(self, stage: str) -> Path:
        """Which rows each fit of a stage was handed."""
        return Path("data/fits") / self.head / f"{stage}.parquet"

    @property
    def test_reads(self) -> Path:
        """Every set of predictions that the test segment was read for; kept in git."""
        return Path("ledger") / self.head / "test_reads.json"

    @property
    def trials(self) -> Path:
        """Folder of the ledger of trials, a batch in a file; kept in git."""
        return Path("ledger") / self.head / "trials"

    @property
    def incumbent(self) -> Path:
        """Folder of the bundle in use, if there is one, for a new one to be compared with."""
        return INCUMBENTS / self.head

    @property
    def models(self) -> Path:
        """Folder of everything the bundle is made of."""
        return Path("models") / self.head

    @property
    def member_models(self) -> Path:
        """Folder of the members' and the baseline's models, of nothing else."""
        return self.models / MEMBERS

    def report(self, name: str) -> Path:
        """A report by its file name."""
        return Path("reports") / self.head / name

    def plot(self, name: str) -> Path:
        """A plot's table by its name."""
        return self.report(f"plots/{name}.csv")
