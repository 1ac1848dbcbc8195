"""Which deeds of a process are told, and what a listener hears of processes that end in any way."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np
import pytest

from candlelock.leakage.module.guard import deed_of_open
from candlelock.leakage.module.messages import DEED, ENDED, LAST, SILENT, Message, listen

ROOTS = ("/python",)
READ, NEW = os.O_RDONLY, os.O_WRONLY | os.O_CREAT


@pytest.mark.parametrize(
    ("target", "flags", "code"),
    [
        ("/elsewhere/table.csv", READ, "module-reads"),
        (b"/elsewhere/table.csv", READ, "module-reads"),
        (Path("/elsewhere/table.csv"), os.O_RDWR, "module-writes"),
        ("/elsewhere/table.csv", NEW, "module-writes"),
        ("/python/lib/table.csv", READ, None),
        ("/python/lib/table.csv", NEW, "module-writes"),
        ("/python2/table.csv", READ, "module-reads"),
        ("/python/../me/table.csv", READ, "module-reads"),
        ("/elsewhere/beside.py", READ, None),
        ("/elsewhere/beside.py", NEW, "module-writes"),
        (os.devnull, NEW, None),
        (3, NEW, None),
    ],
)
def test_opening_is_told_by_what_it_is_for(target: object, flags: int, code: str | None) -> None:
    assert deed_of_open(target, flags, ROOTS) == code


def hear(code: str, folder: Path, silence_s: float = 20) -> list[Message]:
    head = "import sys, os, time, numpy as np\nfrom candlelock.leakage.module.messages import Speaker\n"
    speaker = "speaker = Speaker(os.fdopen(os.dup(1), 'wb'))\n"
    environment = {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    return list(listen([sys.executable, "-c", head + speaker + code], folder, environment, silence_s))


def test_messages_arrive_with_their_values(tmp_path: Path) -> None:
    said = hear("speaker.say('a', {'n': 1}, np.array([[1.5, np.nan]]))\nspeaker.say('last')\n", tmp_path)
    assert [each.kind for each in said] == ["a", LAST]
    assert said[0].body == {"n": 1}
    assert said[0].values is not None
    assert np.array_equal(said[0].values, [[1.5, np.nan]], equal_nan=True)


def test_deeds_that_never_end_are_silence_however_fast_they_come(tmp_path: Path) -> None:
    said = hear("speaker.say('a')\nwhile True:\n    speaker.say('deed')\n", tmp_path, 1)
    assert {each.kind for each in said[1:-1]} == {DEED}
    assert (said[0].kind, said[-1].kind) == ("a", SILENT)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("speaker.say('a')\ntime.sleep(1000)\n", SILENT),
        ("speaker.say('a')\nos._exit(5)\n", ENDED),
        ("speaker.say('a')\nspeaker.stream.write(b'no message\\n')\nspeaker.stream.close()\nos.close(1)\n", ENDED),
    ],
)
def test_a_process_that_says_no_last_word_is_told(code: str, kind: str, tmp_path: Path) -> None:
    said = hear(code, tmp_path, 2)
    assert [each.kind for each in said] == ["a", kind]
    assert said[-1].body.get("code") == (5 if "_exit(5)" in code else said[-1].body.get("code"))
