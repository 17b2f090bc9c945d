"""IdqTimeController against the emulated controller and its tag service."""

from __future__ import annotations

import itertools
import socket
import time
from collections.abc import Iterator

import numpy as np
import pytest

from erbia.analysis.records import TagBlock, TimeTags
from erbia.instruments.emulators.ports import Bench, HeraldWindows
from erbia.instruments.emulators.wire import Fault
from erbia.instruments.errors import BadReply, ConnectionLost, InstrumentError, LimitError
from erbia.instruments.interfaces import HeraldCondition, TimeTagger

pytest.importorskip("zmq")
from erbia.instruments.drivers.id900 import IdqTimeController
from erbia.instruments.drivers.tag_merge import TagMerger
from erbia.instruments.emulators.id900 import Id900Device, Id900Host

PERIOD_PS = 50_000_000  # 20 kHz


def _comb(t_start_ps: int, t_stop_ps: int) -> TimeTags:
    """Channel 1 at multiples of the period, channel 2 a nanosecond later."""
    first = -(-t_start_ps // PERIOD_PS) * PERIOD_PS
    base = np.arange(first, t_stop_ps, PERIOD_PS, dtype=np.int64)
    late = (
        np.arange(-(-(t_start_ps - 1000) // PERIOD_PS) * PERIOD_PS, t_stop_ps - 1000, PERIOD_PS, dtype=np.int64) + 1000
    )
    t_ps = np.concatenate([base, late])
    channel = np.concatenate([np.full(len(base), 1), np.full(len(late), 2)]).astype(np.uint8)
    order = np.argsort(t_ps, kind="stable")
    return TimeTags(t_ps[order], channel[order])


def _free_ports(n: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(n)]
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


@pytest.fixture
def host() -> Iterator[Id900Host]:
    with Id900Host(Id900Device(Bench(taggers={"tagger": _comb}), "tagger")) as host:
        yield host


@pytest.fixture
def tagger(host: Id900Host) -> IdqTimeController:
    return IdqTimeController(
        "tagger", host.endpoint, datalink=host.datalink, channels=(1, 2), stream_ports=_free_ports(2), timeout=0.3
    )


def test_it_is_a_time_tagger(tagger: IdqTimeController) -> None:
    assert isinstance(tagger, TimeTagger)
    assert tagger.get_idn()["model"] == "ID900"


def test_blocks_follow_without_gap_and_hold_every_click(tagger: IdqTimeController) -> None:
    tagger.start()
    blocks: list[TagBlock] = []
    while not blocks or blocks[-1].t_stop_ps < 4 * 10**11:
        blocks.append(tagger.read(1.0))
        time.sleep(0.02)
    tagger.stop()
    assert blocks[0].t_start_ps == 0
    assert all(a.t_stop_ps == b.t_start_ps for a, b in itertools.pairwise(blocks))
    assert not any(block.overflow for block in blocks)
    tags = TimeTags.concatenate(block.tags for block in blocks)
    assert np.all(np.diff(tags.t_ps) >= 0)
    for block in blocks:
        assert np.all((block.tags.t_ps >= block.t_start_ps) & (block.tags.t_ps < block.t_stop_ps))
    assert set(np.diff(tags.on(1))) == {PERIOD_PS}  # none missing
    n = min(len(tags.on(1)), len(tags.on(2)))
    assert n > 7000
    assert set((tags.on(2)[:n] - tags.on(1)[:n]) % PERIOD_PS) == {1000}


def test_an_input_that_is_off_is_silent_and_a_delay_moves_tags(tagger: IdqTimeController) -> None:
    tagger.ch2.delay(2_000_000)
    tagger.start()
    tags = tagger.read(5.0).tags
    tagger.stop()
    # channel 2 clicks a nanosecond after channel 1, and is delayed by two microseconds
    assert set((tags.on(2)[5:50] - tags.on(1)[0]) % PERIOD_PS) == {2_001_000}
    tagger.ch2.enabled(False)
    tagger.start()
    tags = tagger.read(5.0).tags
    assert len(tags.on(1)) > 1000
    assert len(tags.on(2)) == 0


def test_lost_tags_are_flagged(tagger: IdqTimeController, host: Id900Host) -> None:
    tagger.start()
    assert tagger.read(1.0).overflow is False
    host.device.overflow(2)
    flagged = tagger.read(1.0)
    assert flagged.overflow is True
    assert flagged.missed == -1
    assert tagger.read(1.0).overflow is False


def test_a_tag_that_comes_too_late_is_counted_not_put_in_out_of_order() -> None:
    merger = TagMerger("t")
    merger.add(1, np.array([10, 30], np.int64))
    assert list(merger.take(20).tags.t_ps) == [10]
    merger.add(2, np.array([15, 25], np.int64))
    block = merger.take(40)
    assert list(block.tags.t_ps) == [25, 30]
    assert list(block.tags.channel) == [2, 1]
    assert (block.overflow, block.missed) == (True, 1)


def test_reading_before_start_is_an_error(tagger: IdqTimeController) -> None:
    with pytest.raises(ConnectionLost, match="call start"):
        tagger.read(0.1)


def test_settings_are_read_back(tagger: IdqTimeController, host: Id900Host) -> None:
    tagger.ch1.threshold(0.1)
    tagger.ch2.delay(1500)
    tagger.ch2.enabled(False)
    assert host.device.settings["INPU1:THRE"] == "+0.100V"
    assert tagger.ch1.threshold.get() == 0.1
    assert tagger.ch2.delay.get() == 1500
    assert tagger.ch2.enabled.get() is False
    assert tagger.ch1.counts() == pytest.approx(20_000, rel=0.01)
    host.device.settings.pop("DELA1:VALU")
    with pytest.raises((InstrumentError, BadReply), match="DELA1:VALU"):
        tagger.ch1.delay(100)


def test_a_herald_condition_becomes_combiners(host: Id900Host) -> None:
    logic = IdqTimeController("logic", host.endpoint, herald_inputs={"A": 1, "B": 3}, timeout=0.3)
    logic.load_condition(HeraldCondition(("A", "B"), (1000, 5000), (7000, 11_000), latency_ps=300))
    settings = host.device.settings
    for combiner, begin, end in (("TSCO5", "1000", "5000"), ("TSCO6", "7000", "11000")):
        assert (settings[f"{combiner}:FIR:LINK"], settings[f"{combiner}:SEC:LINK"]) == ("INPU1", "INPU3")
        assert (settings[f"{combiner}:WIND:BEGI:DELA"], settings[f"{combiner}:WIND:END:DELA"]) == (begin, end)
    assert (settings["TSCO7:FIR:LINK"], settings["TSCO7:SEC:LINK"], settings["TSCO7:OPIN"]) == ("TSCO5", "TSCO6", "AND")
    assert (settings["OUTP1:LINK"], settings["OUTP1:DELA"]) == ("TSCO7", "300")
    logic.load_condition(None)
    assert settings["OUTP1:LINK"] == "NONE"
    with pytest.raises(LimitError, match="no input for detector 'C'"):
        logic.load_condition(HeraldCondition(("A", "C"), (0, 1), (2, 3)))
    logic.load_condition(HeraldCondition(("A", "B"), (1000, 5000), (0, 0), latency_ps=200))  # one click is enough
    assert (settings["OUTP1:LINK"], settings["OUTP1:DELA"]) == ("TSCO5", "200")
    assert host.device.ports.get("tagger.herald") == HeraldWindows((1000, 5000), (0, 0), 200)


def test_reading_everything_sets_nothing(tagger: IdqTimeController, host: Id900Host) -> None:
    host.device.trace.clear()
    tagger.snapshot(update=True)
    assert all(message.endswith("?") for message in host.device.trace.messages())


def test_a_late_answer_is_not_taken_for_the_next(tagger: IdqTimeController, host: Id900Host) -> None:
    host.device.faults.late_s = 0.5
    host.device.faults.inject(Fault.LATE)
    with pytest.raises(ConnectionLost, match="INPU1:THRE"):
        tagger.ch1.threshold.get()
    time.sleep(0.5)
    assert tagger.ch2.delay.get() == 0
    assert tagger.ch1.threshold.get() == 0.5


def test_garbage_is_a_bad_reply_and_a_command_is_not_repeated(tagger: IdqTimeController, host: Id900Host) -> None:
    host.device.faults.inject(Fault.GARBAGE)
    with pytest.raises(BadReply, match=r"THRE"):
        tagger.ch1.threshold.get()
    host.device.trace.clear()
    host.device.faults.inject(Fault.SILENT)
    with pytest.raises(ConnectionLost, match="state unknown"):
        tagger.ch1.threshold(0.2)
    assert host.device.trace.messages() == ["INPU1:THRE +0.200V"]
    assert tagger.ch1.threshold.get() == 0.2


def test_nobody_there() -> None:
    with pytest.raises(ConnectionLost, match=r"tagger: not reachable at 127.0.0.1:1"):
        IdqTimeController("tagger", "127.0.0.1:1", timeout=0.3)
