"""The models of the members as files in their native formats, beside an index with their hashes."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from candlelock.artifacts import atomic, documents
from candlelock.contracts.documents import MemberModels, ModelFile
from candlelock.contracts.errors import Problem, nearest, raise_if
from candlelock.contracts.files import MEMBER_INDEX
from candlelock.train.learner import LEARNERS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from candlelock.train.learner import Model


def file_name(learner: str) -> str:
    """Of its model."""
    return f"{learner}.{LEARNERS[learner].suffix}"


def save_models(folder: Path, models: Mapping[str, Model]) -> None:
    """Write a file for each, and the index last."""
    index = {}
    for name, model in models.items():
        file, content = file_name(name), model.to_bytes()
        atomic.write_bytes(folder / file, content)
        index[name] = [ModelFile(file=file, sha256=hashlib.sha256(content).hexdigest())]
    documents.write(folder / MEMBER_INDEX, MemberModels(models=index))


def load_models(folder: Path, names: Sequence[str]) -> dict[str, Model]:
    """The models of these learners, each parsed only when its hash is that of the index: parsers trust their input.

    Raises InputError for a learner that the index does not name, and for a file that is missing or another one.
    """
    index = documents.read(folder / MEMBER_INDEX, MemberModels).models
    raise_if([problem for name in names for problem in _faults(folder, name, index)])
    return {name: LEARNERS[name].load((folder / index[name][0].file).read_bytes()) for name in names}


def _faults(folder: Path, name: str, index: Mapping[str, Sequence[ModelFile]]) -> Iterator[Problem]:
    if name not in index or name not in LEARNERS:
        help_line = nearest(name, sorted(set(index) & set(LEARNERS)))
        yield Problem("bundle-member", str(folder / MEMBER_INDEX), f"no member {name!r}", "every member", help_line)
        return
    for each in index[name]:
        path, expected = folder / each.file, f"the member {name} that {MEMBER_INDEX} names"
        if not path.is_file():
            help_line = "fetch it with `dvc pull` or rebuild with `dvc repro`"
            yield Problem("bundle-file", str(path), "no file", expected, help_line)
        elif hashlib.sha256(path.read_bytes()).hexdigest() != each.sha256:
            help_line = "restore it with `dvc checkout` or rebuild with `dvc repro`"
            yield Problem("bundle-hash", str(path), "other content than its hash", expected, help_line)
