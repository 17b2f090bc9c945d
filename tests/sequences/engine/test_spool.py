"""Late, slow and many readers all see the same documents."""

from __future__ import annotations

import threading
from itertools import islice
from pathlib import Path

from erbia.sequences.engine.spool import Spool


def test_a_late_reader_catches_up_and_then_follows(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "s")
    for k in range(100):
        spool.append({"type": "Log", "k": k})
    reader = spool.follow(0, lambda: True)
    assert [d.content["k"] for d in islice(reader, 100)] == list(range(100))
    threading.Timer(0.05, lambda: spool.append({"type": "Log", "k": 100})).start()
    latest = next(reader)
    assert (latest.index, latest.content["k"]) == (100, 100)


def test_from_the_latest_run_on(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "s")
    for run in ("first", "second"):
        spool.append({"type": "RunStart", "run_id": run})
        spool.append({"type": "Log"})
    assert next(spool.follow(-1, lambda: True)).content["run_id"] == "second"


def test_readers_and_a_writer_at_once(tmp_path: Path) -> None:
    spool, n = Spool(tmp_path / "s"), 2000
    seen: list[list[int]] = [[] for _ in range(4)]

    def read(mine: list[int]) -> None:
        mine.extend(d.content["k"] for d in islice(spool.follow(0, lambda: True), n))

    threads = [threading.Thread(target=read, args=(mine,)) for mine in seen]
    for thread in threads:
        thread.start()
    for k in range(n):
        assert spool.append({"type": "Log", "k": k}) == k
    for thread in threads:
        thread.join(10)
    assert all(mine == list(range(n)) for mine in seen)


def test_an_unwanted_reader_ends_and_the_file_goes(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "s")
    assert list(spool.follow(0, lambda: False)) == []
    spool.close()
    assert not (tmp_path / "s").exists()
