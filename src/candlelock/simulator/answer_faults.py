"""Faults in a whole answer: its status, headers or body."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from candlelock.simulator.dialect import Answer, Dialect

if TYPE_CHECKING:
    from collections.abc import Callable

    AnswerEdit = Callable[[Answer, Dialect, Any], Answer]

HTML = "text/html; charset=utf-8"
PAGE = b"<!DOCTYPE html><html><head><title>%d</title></head><body><h1>%s</h1></body></html>"
N_NESTED = 100_000
STATUSES = {
    403: "Forbidden",
    451: "Unavailable For Legal Reasons",
    500: "Internal Server Error",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Gateway Time-out",
}


def html_200(answer: Answer, dialect: Dialect, argument: Any) -> Answer:  # noqa: ANN401
    """A web page with status 200."""
    return Answer(PAGE % (200, b"Just a moment..."), content_type=HTML)


def truncated_json(answer: Answer, dialect: Dialect, argument: Any) -> Answer:  # noqa: ANN401
    """The first half of the body, with the right length for it."""
    return dataclasses.replace(answer, body=answer.body[: len(answer.body) // 2])


def with_bom(answer: Answer, dialect: Dialect, argument: Any) -> Answer:  # noqa: ANN401
    """The right body after a byte order mark."""
    return dataclasses.replace(answer, body=b"\xef\xbb\xbf" + answer.body)


def wrong_content_type(answer: Answer, dialect: Dialect, argument: Any) -> Answer:  # noqa: ANN401
    """The right body as text/html."""
    return dataclasses.replace(answer, content_type=HTML)


def error_200(answer: Answer, dialect: Dialect, argument: Any) -> Answer:  # noqa: ANN401
    """The exchange's own "too many requests" with status 200."""
    return Answer(dialect.answer_failure())


def status_429(answer: Answer, dialect: Dialect, argument: Any) -> Answer:  # noqa: ANN401
    """Too many requests, with Retry-After."""
    return Answer(dialect.answer_failure(), 429, {"Retry-After": str(argument)})


def status_429_bare(answer: Answer, dialect: Dialect, argument: Any) -> Answer:  # noqa: ANN401
    """Too many requests, without Retry-After."""
    return Answer(dialect.answer_failure(), 429)


def status_418(answer: Answer, dialect: Dialect, argument: Any) -> Answer:  # noqa: ANN401
    """The address is banned, with Retry-After."""
    return Answer(dialect.answer_failure(), 418, {"Retry-After": str(argument)})


def redirect(answer: Answer, dialect: Dialect, argument: Any) -> Answer:  # noqa: ANN401
    """A redirection to the same address."""
    return Answer(b"", 302, {"Location": ""})


def _saying(body: bytes, meaning: str) -> AnswerEdit:
    def say(answer: Answer, dialect: Dialect, argument: Any) -> Answer:  # noqa: ANN401
        return Answer(body)

    say.__doc__ = f"{meaning}, with status 200."
    return say


def _failing(status: int, words: str) -> AnswerEdit:
    def fail(answer: Answer, dialect: Dialect, argument: Any) -> Answer:  # noqa: ANN401
        return Answer(PAGE % (status, words.encode()), status, content_type=HTML)

    fail.__doc__ = f"{words}, as a web page."
    return fail


_PLAIN = (
    html_200, truncated_json, with_bom, wrong_content_type, error_200, status_429, status_429_bare,
    status_418, redirect,
)  # fmt: skip
EDITS: dict[str, AnswerEdit] = (
    {edit.__name__: edit for edit in _PLAIN}
    | {f"status_{status}": _failing(status, words) for status, words in STATUSES.items()}
    | {
        "empty_object": _saying(b"{}", "An empty object"),
        "empty_body": _saying(b"", "Nothing at all"),
        "json_null": _saying(b"null", "A bare null"),
        "json_string": _saying(b'"maintenance"', "A string"),
        "not_utf8": _saying(b"[[\xff\xfe\x80]]", "Bytes that are no UTF-8"),
        "deep_nesting": _saying(b"[" * N_NESTED + b"]" * N_NESTED, "Brackets nested 100,000 deep"),
    }
)
