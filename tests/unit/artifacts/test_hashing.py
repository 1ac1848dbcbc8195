from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from candlelock.artifacts.hashing import sha256_file, sha256_json

if TYPE_CHECKING:
    from pathlib import Path


def test_a_file_has_the_sha_256_of_its_bytes(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"abc")
    assert sha256_file(tmp_path / "x") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_a_json_value_is_hashed_by_content_not_by_order() -> None:
    assert sha256_json({"b": [1, 2.5], "a": None}) == hashlib.sha256(b'{"a":null,"b":[1,2.5]}').hexdigest()
    assert sha256_json({"a": None, "b": [1, 2.5]}) == sha256_json({"b": [1, 2.5], "a": None})
    with pytest.raises(ValueError, match="JSON compliant"):
        sha256_json(float("nan"))
