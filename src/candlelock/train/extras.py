"""Packages that candlelock works without: asked for by name, and missed with the line that installs them."""

from __future__ import annotations

from candlelock.contracts.errors import EnvironmentFaultError, Problem


def missing_package(name: str, place: str) -> EnvironmentFaultError:
    """The error for a package that is not installed; it has the name of the extra that brings it."""
    found, help_line = f"the package {name} is not installed", f'pip install "candlelock[{name}]"'
    return EnvironmentFaultError(Problem("package-missing", place, found, f"the optional package {name}", help_line))
