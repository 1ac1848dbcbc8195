"""The models of the members as files in their native formats, beside an index with their hashes."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from candlelock.artifacts import atomic, documents
from candlelock.contracts.documents import MemberModels, ModelFile
from candlelock.contracts.errors import Problem, nearest, raise_if
from candlelock.contracts.files import MEMBER_INDEX
from candlelock.train.averaging import Averaged
from candlelock.train.learner import LEARNERS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from candlelock.train.learner import Model
    from candlelock.train.members import Trained


def file_name(learner: str, number: int, *, before_refit: bool = False) -> str:
    """Of a learner's model by the number of its seed, from 1."""
    parts = (learner, *([str(number)] if number > 1 else []), *(["before_refit"] if before_refit else []))
    return ".".join((*parts, LEARNERS[learner].suffix))


def save_models(folder: Path, members: Mapping[str, Trained]) -> None:
    """Write a file for each model, and the index last."""
    served = {name: _save(folder, name, member.served, before_refit=False) for name, member in members.items()}
    refitted = {name: member for name, member in members.items() if member.refit is not None}
    before = {name: _save(folder, name, member.model, before_refit=True) for name, member in refitted.items()}
    documents.write(folder / MEMBER_INDEX, MemberModels(models=served, before_refit=before))


def _save(folder: Path, learner: str, member: Averaged, *, before_refit: bool) -> list[ModelFile]:
    saved = []
    for number, model in enumerate(member.models, 1):
        file, content = file_name(learner, number, before_refit=before_refit), model.to_bytes()
        atomic.write_bytes(folder / file, content)
        saved.append(ModelFile(file=file, sha256=hashlib.sha256(content).hexdigest()))
    return saved


def load_models(folder: Path, names: Sequence[str], *, before_refit: bool = False) -> dict[str, Averaged]:
    """The members of these names, each file parsed only when its hash is that of the index: parsers trust their input.

    `before_refit`: those that answered calibrate and decide, be they others or not. Raises InputError for a learner
    that the index does not name, and for a file that is missing or another one.
    """
    listed = documents.read(folder / MEMBER_INDEX, MemberModels)
    index = (before_refit and listed.before_refit) or listed.models
    raise_if([problem for name in names for problem in _faults(folder, name, index)])
    return {name: Averaged(tuple(_load(folder, name, each) for each in index[name])) for name in names}


def _load(folder: Path, learner: str, file: ModelFile) -> Model:
    return LEARNERS[learner].load((folder / file.file).read_bytes())


def _faults(folder: Path, name: str, index: Mapping[str, Sequence[ModelFile]]) -> Iterator[Problem]:
    if not index.get(name) or name not in LEARNERS:
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
