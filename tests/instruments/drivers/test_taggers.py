"""MultiHarp, Swabian and replay taggers."""

from __future__ import annotations

import ctypes
import itertools
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from erbia.analysis.records import TagBlock, TimeTags
from erbia.instruments.drivers.picoquant_hydraharp import PicoquantHydraHarp
from erbia.instruments.drivers.picoquant_multiharp import FIFO_FULL, PicoquantMultiHarp
from erbia.instruments.drivers.replay_tagger import ReplayTagger
from erbia.instruments.drivers.swabian_time_tagger import SwabianTimeTagger
from erbia.instruments.drivers.t2 import WRAP, decode_t2
from erbia.instruments.emulators import swabian_api
from erbia.instruments.emulators.ports import Bench
from erbia.instruments.errors import ConnectionLost, InstrumentError, LimitError
from erbia.instruments.interfaces import TimeTagger


def _record(until_ps: int, tagger: Any) -> list[TagBlock]:
    tagger.start()
    blocks: list[TagBlock] = []
    while not blocks or blocks[-1].t_stop_ps < until_ps:
        blocks.append(tagger.read(1.0))
        time.sleep(0.01)
    tagger.stop()
    assert all(a.t_stop_ps == b.t_start_ps for a, b in itertools.pairwise(blocks))
    for block in blocks:
        assert np.all((block.tags.t_ps >= block.t_start_ps) & (block.tags.t_ps < block.t_stop_ps))
        assert np.all(np.diff(block.tags.t_ps) >= 0)
    return blocks


# -- T2 records --------------------------------------------------------------------------------------------------------


def test_t2_words_by_hand() -> None:
    overflow = 0x80000000 | (63 << 25)
    words = np.array(
        [5, (1 << 25) | 7, overflow | 1, 3, overflow | 0, 0x80000000 | 9, 0x80000000 | (2 << 25) | 10, overflow | 4],
        np.uint32,
    )
    decoded = decode_t2(words)
    assert list(decoded.ticks) == [5, 7, WRAP + 3, 2 * WRAP + 9]
    assert list(decoded.channel) == [1, 2, 1, 0]
    assert decoded.wraps == 6
    assert decoded.last_tick == 6 * WRAP


def test_t2_in_pieces_is_t2_in_one() -> None:
    rng = np.random.default_rng(5)
    words = rng.integers(0, 2**32, 5000, dtype=np.uint32)
    whole = decode_t2(words)
    wraps, ticks, channels = 0, [], []
    for piece in np.array_split(words, 37):
        part = decode_t2(piece, wraps)
        wraps = part.wraps
        ticks.append(part.ticks)
        channels.append(part.channel)
    np.testing.assert_array_equal(np.concatenate(ticks), whole.ticks)
    np.testing.assert_array_equal(np.concatenate(channels), whole.channel)
    assert wraps == whole.wraps


# -- MultiHarp ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler for the stand-in library")
    path = tmp_path_factory.mktemp("mhlib") / "libmhlib.so"
    source = Path(__file__).with_name("fake_mhlib.c")
    subprocess.run([compiler, "-shared", "-fPIC", "-O2", "-o", path, source], check=True)
    return path


@pytest.fixture
def multiharp(library: Path) -> Iterator[PicoquantMultiHarp]:
    tagger = PicoquantMultiHarp("harp", str(library))
    yield tagger
    ctypes.CDLL(str(library)).fake_fail_reads(0)
    tagger.close()


def test_multiharp_gives_every_click_at_its_time(multiharp: PicoquantMultiHarp) -> None:
    assert isinstance(multiharp, TimeTagger)
    assert multiharp.get_idn()["model"] == "MultiHarp 150 4P"
    blocks = _record(2 * 10**11, multiharp)
    assert not any(block.overflow for block in blocks)
    tags = TimeTags.concatenate(block.tags for block in blocks)
    for channel in range(5):
        t_ps = tags.on(channel)
        np.testing.assert_array_equal(t_ps, 10**8 * np.arange(len(t_ps)) + 5000 * channel)
        assert len(t_ps) > 1900


def test_multiharp_flags_a_full_memory(multiharp: PicoquantMultiHarp, library: Path) -> None:
    multiharp.start()
    multiharp.read(1.0)
    ctypes.CDLL(str(library)).fake_set_flags(FIFO_FULL)
    time.sleep(0.01)
    block = multiharp.read(1.0)
    assert (block.overflow, block.missed) == (True, -1)


def test_multiharp_settings_and_errors(multiharp: PicoquantMultiHarp, library: Path) -> None:
    multiharp.ch1.trigger_level(-0.1)
    multiharp.ch2.delay(1500)
    assert multiharp.ch3.count_rate() == 10_000
    with pytest.raises(ConnectionLost, match="call start"):
        multiharp.read(0.1)
    multiharp.start()
    ctypes.CDLL(str(library)).fake_fail_reads(-33)
    with pytest.raises(InstrumentError, match=r"MH_ReadFiFo.*-33"):
        multiharp.read(0.1)


def test_multiharp_not_there(library: Path) -> None:
    with pytest.raises(ConnectionLost, match=r"no MultiHarp with index 1.*DEVICE_OPEN_FAIL"):
        PicoquantMultiHarp("harp", str(library), device=1)
    with pytest.raises(ConnectionLost, match="cannot load PicoQuant's library /nowhere"):
        PicoquantMultiHarp("harp", "/nowhere/libmhlib.so")


def test_hydraharp_is_the_same_with_other_words(tmp_path: Path) -> None:
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler for the stand-in library")
    path = tmp_path / "libhh400.so"
    subprocess.run(
        [compiler, "-shared", "-fPIC", "-O2", "-o", path, Path(__file__).with_name("fake_hhlib.c")], check=True
    )
    hydraharp = PicoquantHydraHarp("hydra", str(path))
    assert hydraharp.get_idn()["model"] == "HydraHarp 400"
    hydraharp.ch1.trigger_level(-0.2)
    with pytest.raises(ValueError, match="trigger_level"):
        hydraharp.ch1.trigger_level(0.1)
    tags = TimeTags.concatenate(block.tags for block in _record(10**11, hydraharp))
    np.testing.assert_array_equal(tags.on(2), 10**8 * np.arange(len(tags.on(2))) + 10_000)
    with pytest.raises(ConnectionLost, match=r"no HydraHarp with index 1.*HH_OpenDevice"):
        PicoquantHydraHarp("other", str(path), device=1)
    hydraharp.close()


# -- Swabian -----------------------------------------------------------------------------------------------------------


def _comb(t_start_ps: int, t_stop_ps: int) -> TimeTags:
    t_ps = np.arange(-(-t_start_ps // 10**8) * 10**8, t_stop_ps, 10**8, dtype=np.int64)
    return TimeTags(t_ps, (t_ps // 10**8 % 2 + 1).astype(np.uint8))


@pytest.fixture
def swabian() -> Iterator[SwabianTimeTagger]:
    swabian_api.plug(Bench(taggers={"tagger": _comb}), "tagger", "S1")
    yield SwabianTimeTagger("tt", "S1", channels=(1, 2), module="erbia.instruments.emulators.swabian_api")
    swabian_api.unplug("S1")


def test_swabian_stream(swabian: SwabianTimeTagger) -> None:
    assert isinstance(swabian, TimeTagger)
    tags = TimeTags.concatenate(block.tags for block in _record(10**11, swabian))
    assert set(np.diff(tags.t_ps)) == {10**8}
    assert set(tags.channel) == {1, 2}


def test_swabian_settings_overflow_and_clock(swabian: SwabianTimeTagger) -> None:
    swabian.ch1.trigger_level(0.2)
    swabian.ch2.test_signal(True)
    assert swabian.ch1.trigger_level.get() == 0.2
    assert swabian.ch2.test_signal.get() is True
    swabian.start()
    time.sleep(0.01)
    swabian.device.missed = 17
    block = swabian.read(1.0)
    assert (block.overflow, block.missed) == (True, 17)
    swabian.device.clock_lost = True
    time.sleep(0.01)
    with pytest.raises(InstrumentError, match="lost its clock"):
        swabian.read(1.0)


FAULTS_EACH = int(os.environ.get("ERBIA_FAULTS_EACH", "12"))


def test_swabian_faults_are_named_or_flagged_and_it_recovers(swabian: SwabianTimeTagger) -> None:
    rng = np.random.default_rng(2026)
    device = swabian.device
    swabian.start()
    for _ in range(FAULTS_EACH):
        time.sleep(0.002)
        match rng.choice(["unplugged", "missed", "clock_lost"]):
            case "missed":
                device.missed = 3
                block = swabian.read(5.0)
                assert (block.overflow, block.missed) == (True, 3)
            case fault:
                setattr(device, fault, True)
                with pytest.raises(InstrumentError, match=r"^tt: "):
                    swabian.read(5.0)
        device.unplugged = device.clock_lost = False
        swabian.start()
        time.sleep(0.002)
        block = swabian.read(5.0)
        assert not block.overflow
        assert set(np.diff(block.tags.t_ps)) <= {10**8}
    device.unplugged = True
    with pytest.raises(
        ConnectionLost, match=r"tt: the vendor's package reports: Time Tagger is disconnected.*getTrigger"
    ):
        swabian.ch1.trigger_level.get()


def test_multiharp_faults_are_named_or_flagged_and_it_recovers(multiharp: PicoquantMultiHarp, library: Path) -> None:
    rng = np.random.default_rng(2026)
    device = ctypes.CDLL(str(library))
    for _ in range(FAULTS_EACH):
        multiharp.start()
        multiharp.read(5.0)
        time.sleep(0.002)
        if rng.random() < 0.5:
            device.fake_set_flags(FIFO_FULL)
            assert multiharp.read(5.0).overflow
        else:
            device.fake_fail_reads(int(rng.choice([-33, -1, -8])))
            with pytest.raises(InstrumentError, match=r"^harp: .*MH_ReadFiFo"):
                multiharp.read(5.0)
            device.fake_fail_reads(0)
            time.sleep(0.002)
            assert multiharp.read(5.0).overflow, "what the failed call may have swallowed is flagged"
        time.sleep(0.002)
        block = multiharp.read(5.0)
        assert not block.overflow
        assert set(block.tags.on(2) % 10**8) <= {10_000}


def test_swabian_delays_move_tags(swabian: SwabianTimeTagger) -> None:
    swabian.ch2.delay(5000)
    tags = TimeTags.concatenate(block.tags for block in _record(5 * 10**10, swabian))
    assert set((tags.on(2)[:100] - tags.on(1)[0]) % 10**8) == {5000}


def test_swabian_not_there() -> None:
    with pytest.raises(ConnectionLost, match="no Time Tagger S9"):
        SwabianTimeTagger("tt", "S9", module="erbia.instruments.emulators.swabian_api")
    with pytest.raises(ConnectionLost, match=r"package no_such_vendor_module is not installed"):
        SwabianTimeTagger("tt", module="no_such_vendor_module")


# -- replay ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    rng = np.random.default_rng(2)
    t_ps = np.sort(rng.integers(0, 10**11, 5000))
    path = tmp_path / "tags.npz"
    np.savez(path, t_ps=t_ps, channel=rng.integers(1, 5, 5000).astype(np.uint8))
    return path


def test_replay_gives_back_the_file(recording: Path) -> None:
    tagger = ReplayTagger("replay", str(recording), pace=0)
    assert isinstance(tagger, TimeTagger)
    tagger.start()
    blocks = []
    while not tagger.finished():
        blocks.append(tagger.read(1.0))
    tags = TimeTags.concatenate(block.tags for block in blocks)
    with np.load(recording) as saved:
        np.testing.assert_array_equal(tags.t_ps, saved["t_ps"])
        np.testing.assert_array_equal(tags.channel, saved["channel"])
    with pytest.raises(ConnectionLost, match="come to its end"):
        tagger.read(0.1)


@pytest.mark.parametrize("pace", [0.5, 2.0])
def test_replay_keeps_the_pace(recording: Path, pace: float) -> None:
    tagger = ReplayTagger("replay", str(recording), pace=pace)
    start = time.perf_counter()
    tagger.start()
    while not tagger.finished():
        last = tagger.read(2.0)
    elapsed_s = time.perf_counter() - start
    expected_s = last.t_stop_ps * 1e-12 / pace
    assert expected_s * 0.95 <= elapsed_s < expected_s + 0.3


def test_replay_limits(recording: Path) -> None:
    with pytest.raises(LimitError, match="pace 1000"):
        ReplayTagger("replay", str(recording), pace=1000)
    tagger = ReplayTagger("slow", str(recording), pace=0.1)
    with pytest.raises(ConnectionLost, match="call start"):
        tagger.read(0.1)
    tagger.start()
    with pytest.raises(ConnectionLost, match=r"nothing due within 0.05 s"):
        tagger.read(0.05)
