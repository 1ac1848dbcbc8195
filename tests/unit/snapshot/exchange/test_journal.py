from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pytest

from candlelock.contracts.errors import InputError
from candlelock.contracts.snapshot_documents import AskedRange
from candlelock.snapshot.exchange.journal import journal_of
from candlelock.snapshot.exchange.span import Span

if TYPE_CHECKING:
    from pathlib import Path

REQUEST = {"exchange": "binance", "timeframe": "1m", "days": 3}
PAGE = Span(0, 600_000, 60_000)
TABLE = pa.table({"open_time_utc": pa.array([0, 60_000]), "close": pa.array(["1.50", "1.5"])})
ASKED = AskedRange(start_utc="2024-01-01T00:00:00Z", end_utc="2024-01-02T00:00:00Z")


class PulledPlugError(Exception):
    """Stands for whatever ends a run."""


def test_answers_outlive_a_run_that_failed_and_go_after_one_that_did_not(tmp_path: Path) -> None:
    with pytest.raises(PulledPlugError), journal_of(REQUEST, tmp_path) as journal:
        journal.begin(ASKED)
        journal.write("BTC/USDT", PAGE, TABLE)
        raise PulledPlugError
    with journal_of(REQUEST, tmp_path) as journal:
        assert journal.read_range() == ASKED
        journal.begin(ASKED)
        kept = journal.read("BTC/USDT", PAGE)
        assert kept is not None
        assert kept.equals(TABLE)
        assert journal.read("ETH/USDT", PAGE) is None
        assert journal.read("BTC/USDT", Span(0, 540_000, 60_000)) is None
    assert not [path for path in tmp_path.iterdir() if path.is_dir()]


@pytest.mark.parametrize("n_bytes", [0, 1, 100, -1])
def test_a_torn_or_damaged_answer_is_as_good_as_none(tmp_path: Path, n_bytes: int) -> None:
    with journal_of(REQUEST, tmp_path) as journal:
        journal.begin(ASKED)
        journal.write("BTC/USDT", PAGE, TABLE)
        (path,) = journal.folder.glob("*/*.arrow")
        content = path.read_bytes()
        path.write_bytes(
            content[:n_bytes] if n_bytes >= 0 else content[:200] + bytes([content[200] ^ 1]) + content[201:]
        )
        assert journal.read("BTC/USDT", PAGE) is None


def test_another_range_and_a_contradicted_page_start_afresh(tmp_path: Path) -> None:
    with journal_of(REQUEST, tmp_path) as journal:
        journal.begin(ASKED)
        journal.write("BTC/USDT", PAGE, TABLE)
        journal.drop("BTC/USDT", PAGE)
        assert journal.read("BTC/USDT", PAGE) is None
        journal.write("BTC/USDT", PAGE, TABLE)
        journal.begin(ASKED.model_copy(update={"end_utc": "2024-01-03T00:00:00Z"}))
        assert journal.read("BTC/USDT", PAGE) is None


def test_requests_do_not_share_answers(tmp_path: Path) -> None:
    with journal_of(REQUEST, tmp_path) as one, journal_of(REQUEST | {"days": 4}, tmp_path) as other:
        one.write("BTC/USDT", PAGE, TABLE)
        assert other.read("BTC/USDT", PAGE) is None


def test_a_second_run_of_the_same_is_refused_while_the_first_lasts(tmp_path: Path) -> None:
    with journal_of(REQUEST, tmp_path), pytest.raises(InputError) as refused, journal_of(REQUEST, tmp_path):
        pass
    assert [problem.code for problem in refused.value.problems] == ["exchange-busy"]
