"""Folders that hold bundles: where they lie, which features they ask for, what identifies them."""

from __future__ import annotations

import os
from pathlib import Path

from candlelock.artifacts import documents
from candlelock.artifacts.hashing import sha256_file, sha256_json
from candlelock.contracts.errors import InputError, Problem
from candlelock.contracts.files import MEMBER_INDEX, MEMBERS
from candlelock.contracts.select_documents import Selection

INDEX = f"{MEMBERS}/{MEMBER_INDEX}"
SIGNS = ("stack.json", "calibrator.json", "threshold.json", INDEX)  # reports have a selection.json too


def find_bundles(folder: Path) -> dict[str, Path]:
    """Name -> folder of every bundle in `folder`, itself among them, by name: its path from there.

    One that lacks some of its files counts as well. Hidden folders are left out. Raises InputError when there is none.
    """
    found = {}
    for place, inner, _ in os.walk(folder):
        inner[:] = [name for name in inner if not name.startswith(".")]
        own = Path(place)
        if any((own / sign).is_file() for sign in SIGNS):
            found[own.relative_to(folder).as_posix() if own != folder else own.resolve().name] = own
    if not found:
        what = "no bundle in it" if folder.is_dir() else "no such folder"
        help_line = "name the folder that holds models/<head>, or a copy of it"
        raise InputError(Problem("benchmark-models", str(folder), what, "a folder with bundles", help_line))
    return dict(sorted(found.items()))


def read_features(folder: Path) -> list[str]:
    """The features a bundle asks for, in their order."""
    return documents.read(folder / "selection.json", Selection).inputs


def identify_bundle(folder: Path) -> str:
    """SHA-256 of a bundle's documents; the index of its members holds the hashes of the models."""
    names = ("selection.json", *SIGNS)
    return sha256_json({name: sha256_file(folder / name) for name in names})
