"""What a process that runs somebody else's code says, one message after another, over a pipe."""

from __future__ import annotations

import json
import queue
import subprocess
import threading
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from candlelock.leakage.module.clock import seconds_now

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from candlelock.features.market import Array

SILENT, ENDED, LAST, DEED = "silent", "ended", "last", "deed"
START_S = 60.0  # to load the libraries on a busy machine


@dataclass(frozen=True)
class Message:
    """`kind`, what it says, and values of any shape where it carries some."""

    kind: str
    body: Mapping[str, Any] = field(default_factory=dict)
    values: Array | None = None


class Speaker:
    """The process's side: sends messages, whole ones, from any thread."""

    def __init__(self, stream: IO[bytes]) -> None:
        self.stream = stream
        self.lock = threading.RLock()

    def say(self, kind: str, body: Mapping[str, Any] | None = None, values: Array | None = None) -> None:
        """Send one message."""
        shape = None if values is None else list(values.shape)
        head = json.dumps({"kind": kind, "body": body or {}, "shape": shape}).encode() + b"\n"
        with self.lock:
            self.stream.write(head if values is None else head + values.astype(np.float64).tobytes())
            self.stream.flush()


def listen(command: Sequence[str], folder: Path, environment: Mapping[str, str], silence_s: float) -> Iterator[Message]:
    """Start a process in a folder and give its messages; the last is of kind LAST, SILENT or ENDED.

    SILENT: no step was taken for `silence_s` seconds, or START_S before the first; a DEED that is told on the way is no
    step, or code that tries a refused one again and again would never be ended. ENDED: the process ended before its
    last word, with body["code"]. The process is gone when the iteration is over.
    """
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    arrived: queue.SimpleQueue[Message | None] = queue.SimpleQueue()
    reader = threading.Thread(target=_read_all, args=(process.stdout, arrived), daemon=True)
    reader.start()
    silent_at = seconds_now() + max(START_S, silence_s)
    try:
        while True:
            try:
                message = arrived.get(timeout=max(silent_at - seconds_now(), 0))
                if message is None or message.kind != DEED:
                    silent_at = seconds_now() + silence_s
                elif seconds_now() > silent_at:
                    raise queue.Empty
            except queue.Empty:
                yield Message(SILENT)
                return
            yield Message(ENDED, {"code": process.wait()}) if message is None else message
            if message is None or message.kind == LAST:
                return
    finally:
        process.kill()
        process.wait()
        reader.join()


def _read_all(stream: IO[bytes], arrived: queue.SimpleQueue[Message | None]) -> None:
    """Every message until the pipe is closed, or carries something else; then None."""
    with stream:
        try:
            while line := stream.readline():
                arrived.put(_read(json.loads(line), stream))
        except (ValueError, KeyError, TypeError):
            pass  # not a message: the code wrote into the pipe, and the process counts as ended
        arrived.put(None)


def _read(head: dict[str, Any], stream: IO[bytes]) -> Message:
    if head["shape"] is None:
        return Message(head["kind"], head["body"])
    n_bytes = 8 * int(np.prod(head["shape"], dtype=np.int64))
    values = np.frombuffer(stream.read(n_bytes), dtype=np.float64).reshape(head["shape"])
    return Message(head["kind"], head["body"], values)
