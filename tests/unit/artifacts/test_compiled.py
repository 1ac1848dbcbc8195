"""Machine code is kept by what all sources of its folder say, and how they are compiled."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numba

from candlelock.artifacts import compiled
from candlelock.artifacts.compiled import BySources, digest_sources

if TYPE_CHECKING:
    import pytest


def digest(folder: Path) -> str:
    digest_sources.cache_clear()
    return digest_sources(folder)


def test_a_change_of_any_source_or_of_the_way_to_compile_is_another_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sources = tmp_path / "own"
    sources.mkdir()
    caller, callee, other = sources / "caller.py", sources / "callee.py", tmp_path / "compiled.py"
    caller.write_text("from callee import two\n")
    callee.write_text("two = 2\n")
    other.write_bytes(Path(compiled.__file__).read_bytes())
    monkeypatch.setattr(compiled, "__file__", str(other))
    seen = [digest(sources)]
    callee.write_text("two = 3\n")
    seen.append(digest(sources))
    other.write_text(other.read_text().replace("error_model", "other_model"))
    seen.append(digest(sources))
    callee.rename(sources / "renamed.py")
    seen.append(digest(sources))
    assert len(set(seen)) == 4
    digest_sources.cache_clear()


def test_copies_of_a_folder_share_what_lies_below_the_given_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(numba.config, "CACHE_DIR", "")
    files = [tmp_path / name / "kernel.py" for name in ("one", "two")]
    for file in files:
        file.parent.mkdir()
        file.write_text("def f(): pass\n")
    own = [Path(BySources(digest, str(file)).get_cache_path()) for file in files]
    assert [path.parent for path in own] == [file.parent / "__pycache__" for file in files]
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path / "shared"))
    shared = {BySources(digest, str(file)).get_cache_path() for file in files}
    assert shared == {str(tmp_path / "shared" / own[0].name)}
