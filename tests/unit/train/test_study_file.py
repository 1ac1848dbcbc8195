"""A search that was killed goes on and ends with the same bytes; a damaged or foreign file is never continued."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from filelock import FileLock

from candlelock.artifacts import documents
from candlelock.artifacts.fit_ledger import FitLedger
from candlelock.artifacts.numeric_environment import LOCKED
from candlelock.contracts.errors import InputError
from candlelock.train import fold_fits
from candlelock.train.study_file import find_key
from tests.learner_settings import needs_package
from tests.unit.train.search_runs import make_rows, make_task, run_search

if TYPE_CHECKING:
    from candlelock.contracts.stage_params import Frozen
    from candlelock.contracts.study_documents import Study
    from candlelock.train.learner import Model
    from candlelock.train.search import SearchTask

ROOT = Path(__file__).parents[3]
N_SCREENED = 12  # trials, before the reruns


class InterruptedSearchError(Exception):
    """Stands for whatever ends a process between two trials or within one."""


def interrupt(folder: Path, task: SearchTask, n_fits: int) -> int:
    """Search until that fit is begun; the lines that are kept then."""
    fit, n_done = fold_fits.FoldFits.fit, 0

    def fit_or_stop(self: fold_fits.FoldFits, settings: Frozen) -> Model:
        nonlocal n_done
        n_done += 1
        if n_done == n_fits:
            raise InterruptedSearchError
        return fit(self, settings)

    with pytest.MonkeyPatch.context() as patch, pytest.raises(InterruptedSearchError):
        patch.setattr(fold_fits.FoldFits, "fit", fit_or_stop)
        run_search(folder, task)
    return len(only(folder).read_bytes().splitlines())


def only(folder: Path) -> Path:
    """The one file of the folder."""
    (path,) = folder.iterdir()
    return path


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """What a search of these settings finds that nobody disturbs."""
    return run_search(tmp_path_factory.mktemp("whole"), make_task(screen_frac=0.25))[0]


SAMPLERS = [("tpe", 25), pytest.param("hyperopt", 32, marks=needs_package("hyperopt"))]


def child(folder: Path, threads: int, n_fits: int, hash_seed: str, sampler: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.unit.train.search_runs", str(folder), str(threads), str(n_fits), sampler]
    environment = os.environ | LOCKED | {"PYTHONHASHSEED": hash_seed}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(("sampler", "in_rerun"), SAMPLERS)
def test_a_search_killed_twice_ends_with_the_bytes_of_one_that_was_not(
    sampler: str, in_rerun: int, tmp_path: Path
) -> None:
    """In other processes, with other hash seeds and threads."""
    for threads, n_fits, hash_seed in ((1, 8, "1"), (2, in_rerun, "2")):  # within the third trial; within a rerun
        killed = child(tmp_path, threads, n_fits, hash_seed, sampler)
        assert killed.returncode == -signal.SIGKILL, killed.stderr
        assert not (tmp_path / "study.json").exists()
        assert list((tmp_path / "work").iterdir())
    ended = child(tmp_path, 1, 0, "3", sampler)
    assert ended.returncode == 0, ended.stderr
    assert int(ended.stdout) >= N_SCREENED
    fits = FitLedger()
    whole, _ = run_search(tmp_path / "again", make_task(screen_frac=0.25, sampler=sampler), fits=fits)
    assert (tmp_path / "study.json").read_bytes() == documents.to_bytes(whole)
    assert (tmp_path / "fits.txt").read_text() == fits.table().to_pandas().to_csv()
    assert not (tmp_path / "work").exists()


@pytest.mark.parametrize("n_fits", (1, 3, 14, 29, 34))
def test_wherever_it_was_interrupted_it_ends_the_same(n_fits: int, whole: Study, tmp_path: Path) -> None:
    n_kept = interrupt(tmp_path, make_task(screen_frac=0.25), n_fits) - 1  # the study itself comes first
    study, said = run_search(tmp_path, make_task(screen_frac=0.25))
    assert documents.to_bytes(study) == documents.to_bytes(whole)
    assert [line.endswith(", kept from an interrupted run") for line in said] == [
        number < n_kept for number in range(len(study.trials))
    ]


def test_a_line_torn_by_the_kill_is_run_again(whole: Study, tmp_path: Path) -> None:
    interrupt(tmp_path, make_task(screen_frac=0.25), 20)
    path = only(tmp_path)
    path.write_bytes(path.read_bytes()[:-7])
    path.with_name(f"{path.name}.lock").symlink_to(path)  # Optuna's, held by the killed run
    assert run_search(tmp_path, make_task(screen_frac=0.25))[0] == whole


DAMAGES = {
    "a digit of a loss": lambda lines: [line.replace(b'"loss":0.7', b'"loss":0.6') for line in lines],
    "a trial left out": lambda lines: [*lines[:3], *lines[4:]],
    "two trials exchanged": lambda lines: [*lines[:2], lines[3], lines[2], *lines[4:]],
    "a trial twice": lambda lines: [*lines, lines[-1]],
    "a trial without a hash": lambda lines: [line.replace(b'"digest"', b'"digest_"') for line in lines],
    "no trial of ours": lambda lines: [line.replace(b'"fold_losses"', b'"folds"') for line in lines],
    "bytes of something else": lambda lines: [*lines[:3], b"\x80\xff\x00", *lines[3:]],
    "another operation": lambda lines: [*lines[:3], b'{"op_code":99}', *lines[3:]],
    "a list": lambda lines: [b"[]", *lines],
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_is_refused_with_what_mends_it(damage: str, whole: Study, tmp_path: Path) -> None:
    interrupt(tmp_path, make_task(screen_frac=0.25), 20)
    path = only(tmp_path)
    lines = path.read_bytes().splitlines()
    path.write_bytes(b"".join(line + b"\n" for line in DAMAGES[damage](lines)))
    with pytest.raises(InputError) as caught:
        run_search(tmp_path, make_task(screen_frac=0.25))
    (problem,) = caught.value.problems
    assert (problem.code, problem.place) == ("search-damaged", str(path))
    assert "delete the file" in problem.help
    path.unlink()
    assert run_search(tmp_path, make_task(screen_frac=0.25))[0] == whole


@pytest.mark.parametrize(
    "change",
    [{"seed": 2}, {"metric": "brier"}, {"n_trials": 6}, {"screen_frac": 0.3}],
    ids=str,
)
def test_a_file_of_other_settings_is_not_continued_but_cleared_away(change: dict[str, object], tmp_path: Path) -> None:
    task = make_task(**{"screen_frac": 0.25, **change})  # type: ignore[arg-type]
    interrupt(tmp_path / "work", make_task(screen_frac=0.25), 20)
    study, said = run_search(tmp_path / "work", task)
    assert study == run_search(tmp_path / "clean", task)[0]
    assert not any("interrupted" in line for line in said)
    assert not (tmp_path / "work").exists()


def test_threads_and_the_time_limit_do_not_begin_a_new_file(whole: Study, tmp_path: Path) -> None:
    interrupt(tmp_path, make_task(screen_frac=0.25), 20)
    study, said = run_search(tmp_path, make_task(screen_frac=0.25, threads=2, timeout_s=9999.0))
    assert study == whole
    assert any("interrupted" in line for line in said)


def test_the_key_follows_from_every_value_of_the_rows() -> None:
    arrays = [array for fold in make_rows().folds for array in (fold.trains.x, fold.validates.y)]
    key = find_key({"seed": 1}, arrays)
    assert key == find_key({"seed": 1}, [array.copy(order="F") for array in arrays])
    for place in range(len(arrays)):
        changed = [array.copy() for array in arrays]
        changed[place].flat[-1] += 1
        assert find_key({"seed": 1}, changed) != key
    assert find_key({"seed": 1}, arrays[::-1]) != key


def test_only_one_process_searches_for_a_head(tmp_path: Path) -> None:
    with FileLock(f"{tmp_path / 'work'}.lock"), pytest.raises(InputError) as caught:
        run_search(tmp_path / "work", make_task())
    assert caught.value.problems[0].code == "search-busy"
