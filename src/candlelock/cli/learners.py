"""`candlelock learners`: what can be a member of the ensemble."""

from __future__ import annotations

from typing import Any

from candlelock.cli import output
from candlelock.cli.output import Json  # noqa: TC001  (typer reads annotations)


def learners(as_json: Json = False) -> None:
    """List every learner that train.members may name: what it is, its settings, where it runs, its package."""
    entries = _entries()
    if as_json:
        output.print_json(entries)
        return
    rows = [(each["name"], each["what"], ", ".join(each["settings"]), _bytes(each), _package(each)) for each in entries]
    output.print_table(("learner", "what", "settings, in train.<learner>", "same bytes", "package"), rows)


def _entries() -> list[dict[str, Any]]:
    from candlelock.contracts.train_params import SETTINGS
    from candlelock.train.learner import LEARNERS

    return [
        {
            "name": name,
            "what": learner.what,
            "settings": {key: info.description for key, info in SETTINGS[name].model_fields.items()},
            "stops_early": learner.rounds_key is not None,
            "is_seeded": learner.is_seeded,
            "devices": ["cpu"] if learner.has_cuda is None else ["cpu", "cuda"],
            "deterministic_on": ["cpu"],
            "package": learner.package,
            "version": _version(learner.package),
        }
        for name, learner in LEARNERS.items()
    ]


def _bytes(entry: dict[str, Any]) -> str:
    return "yes" if entry["devices"] == entry["deterministic_on"] else "on a CPU"


def _package(entry: dict[str, Any]) -> str:
    name, version = entry["package"], entry["version"]
    return f"{name} {version}" if version else f'not installed: pip install "candlelock[{name}]"'


def _version(package: str) -> str | None:
    """Of the package, or of its build for CPUs."""
    from importlib.metadata import PackageNotFoundError, version

    for name in (package, f"{package}-cpu"):
        try:
            return version(name)
        except PackageNotFoundError:
            continue
    return None
