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


def file_name(learner: str, number: int) -> str:
    """Of a learner's model by the number of its seed, from 1."""
    return f"{learner}{f'.{number}' if number > 1 else ''}.{LEARNERS[learner].suffix}"


def save_models(folder: Path, members: Mapping[str, Averaged]) -> None:
    """Write a file for each model, and the index last."""
    index = {name: [_save(folder, name, each) for each in enumerate(own.models, 1)] for name, own in members.items()}
    documents.write(folder / MEMBER_INDEX, MemberModels(models=index))


def _save(folder: Path, learner: str, numbered: tuple[int, Model]) -> ModelFile:
    file, content = file_name(learner, numbered[0]), numbered[1].to_bytes()
    atomic.write_bytes(folder / file, content)
    return ModelFile(file=file, sha256=hashlib.sha256(content).hexdigest())


def load_models(folder: Path, names: Sequence[str]) -> dict[str, Averaged]:
    """The members of these names, each file parsed only when its hash is that of the index: parsers trust their input.

    Raises InputError for a learner that the index does not name, and for a file that is missing or another one.
    """
    index = documents.read(folder / MEMBER_INDEX, MemberModels).models
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
