"""JSON documents: strict to read, one set of bytes to write."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ValidationError

from candlelock.artifacts import atomic
from candlelock.contracts.errors import InputError, Problem

if TYPE_CHECKING:
    from pathlib import Path

Document = TypeVar("Document", bound=BaseModel)
HELP_REBUILD = "rebuild it with `dvc repro`"


def to_bytes(value: BaseModel | dict[str, Any]) -> bytes:
    """Sorted keys, two spaces, UTF-8, a final newline; NaN and infinity are refused."""
    plain = value.model_dump(mode="json") if isinstance(value, BaseModel) else value
    return (json.dumps(plain, sort_keys=True, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode()


def write(path: Path, value: BaseModel | dict[str, Any]) -> None:
    """Write a document atomically."""
    atomic.write_bytes(path, to_bytes(value))


def read(path: Path, model: type[Document]) -> Document:
    """Read a document into its model.

    Raises InputError when it is missing, is not strict JSON or does not fit.
    """
    try:
        return model.model_validate_json(json.dumps(read_json(path)), strict=True)
    except ValidationError as error:
        raise InputError(
            Problem(
                "document-invalid",
                f"{path} {'.'.join(map(str, detail['loc']))}",
                repr(detail["input"])[:80],
                detail["msg"],
                HELP_REBUILD,
            )
            for detail in error.errors()
        ) from None


def read_json(path: Path) -> Any:  # noqa: ANN401
    """Parse strict JSON: UTF-8, no duplicate keys, no NaN, no numbers beyond float64."""
    if not path.is_file():
        raise InputError(Problem("document-missing", str(path), "no file", "a JSON document", HELP_REBUILD))
    try:
        text = path.read_text(encoding="utf-8")
        return json.loads(text, object_pairs_hook=_unique, parse_constant=_refuse_constant, parse_float=_finite)
    except (ValueError, RecursionError) as error:
        raise InputError(Problem("document-not-json", str(path), str(error), "strict JSON", HELP_REBUILD)) from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"key {next(n for n in names if names.count(n) > 1)!r} stands twice")
    return document


def _refuse_constant(text: str) -> float:
    raise ValueError(f"{text} is not a JSON number")


def _finite(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise ValueError(f"{text} is beyond float64")
    return value
