"""Faults of instruments that are reached through a library or a file: no wrong value, no hang, a named error, and recovery.

A few for each driver here; ``python benchmarks/faults.py`` injects more. A fault may pass without an error only when
nothing is lost by it; what is lost is flagged on the next block.
"""

from __future__ import annotations

import ctypes
import itertools
import json
import math
import os
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from qcodes.instrument import Instrument

from erbia.analysis.records import TagBlock, TimeTags
from erbia.instruments.drivers.highfinesse_wlm import HighFinesseWlm
from erbia.instruments.drivers.picoquant_hydraharp import PicoquantHydraHarp
from erbia.instruments.drivers.picoquant_multiharp import FIFO_FULL, PicoquantMultiHarp
from erbia.instruments.drivers.replay_tagger import ReplayTagger
from erbia.instruments.drivers.swabian_time_tagger import SwabianTimeTagger
from erbia.instruments.emulators import swabian_api
from erbia.instruments.emulators.ports import Bench
from erbia.instruments.errors import InstrumentError

TIMEOUT_S = 0.15
#: How long after the timeout an error may come; the campaign of benchmarks/faults.py asks for 1.
WITHIN_S = float(os.environ.get("ERBIA_WITHIN_S", "10"))
FAULTS_EACH = int(os.environ.get("ERBIA_FAULTS_EACH", "12"))
PERIOD_PS = 10**8
TRIGGER_V = -0.3


@dataclass
class Subject:
    """A driver, what can go wrong, and what is true.

    Attributes:
        begin: a fresh start, with which every attempt begins.
        faults: name → (the fault comes, it is over).
        use: reads something; whether a loss was flagged. Fails when what came is not true.
        name: of the instrument.
    """

    name: str
    begin: Callable[[], None]
    use: Callable[[], bool]
    faults: dict[str, tuple[Callable[[], Any], Callable[[], Any]]]


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        stack.callback(Instrument.close_all)
        yield stack


def _nothing() -> None:
    """Some faults are over by themselves."""


@dataclass
class Comb:
    """Reads blocks of a tagger on whose inputs a click comes every 0.1 ms, and checks every tag that is not flagged."""

    tagger: Any
    channel: int
    phase_ps: int | None = None
    blocks: list[TagBlock] = field(default_factory=list)

    def begin(self) -> None:
        self.tagger.start()
        self.blocks = []

    def use(self) -> bool:
        time.sleep(0.003)
        block = self.tagger.read(TIMEOUT_S)
        self.blocks.append(block)
        assert all(a.t_stop_ps == b.t_start_ps for a, b in itertools.pairwise(self.blocks))
        t_ps = block.tags.on(self.channel)
        assert np.all((t_ps >= block.t_start_ps) & (t_ps < block.t_stop_ps))
        if len(t_ps):
            self.phase_ps = int(t_ps[0] % PERIOD_PS) if len(self.blocks) == 1 else self.phase_ps
            assert set(t_ps % PERIOD_PS) == {self.phase_ps}
        whole = (block.t_stop_ps - block.t_start_ps) // PERIOD_PS
        assert block.overflow or len(t_ps) >= whole, "clicks are missing and nobody says so"
        return block.overflow


def _clicks(t_start_ps: int, t_stop_ps: int) -> TimeTags:
    t_ps = np.arange(-(-t_start_ps // PERIOD_PS) * PERIOD_PS, t_stop_ps, PERIOD_PS, dtype=np.int64)
    return TimeTags(t_ps, np.ones(len(t_ps), np.uint8))


def _swabian(stack: ExitStack, folder: Path) -> Subject:
    bench = Bench(taggers={"tagger": _clicks})
    swabian_api.plug(bench, "tagger", "F1")
    stack.callback(swabian_api.unplug, "F1")
    tagger = SwabianTimeTagger("tt", "F1", channels=(1, 2), module="erbia.instruments.emulators.swabian_api")
    tagger.ch1.trigger_level(TRIGGER_V)
    comb = Comb(tagger, 1)

    def use() -> bool:
        assert tagger.ch1.trigger_level.get() == TRIGGER_V, "a device that was away has forgotten its settings"
        return comb.use()

    def put(attribute: str, value: Any) -> Callable[[], None]:
        return lambda: setattr(tagger.device, attribute, value)

    return Subject(
        "tt",
        comb.begin,
        use,
        {
            "lost": (lambda: swabian_api.unplug("F1"), lambda: swabian_api.plug(bench, "tagger", "F1")),
            "exception": (put("failure", "USB transfer failed"), put("failure", "")),
            "short read": (put("short", 3), put("short", 0)),
            "overflow": (put("missed", 17), _nothing),
            "clock": (put("clock_lost", True), put("clock_lost", False)),
            "late": (lambda: tagger.device.stall(), put("stalled_ps", None)),
        },
    )


def _harp(stack: ExitStack, folder: Path, source: str, cls: type[PicoquantMultiHarp]) -> Subject:
    library = _compiled(source, folder)
    device, tagger = ctypes.CDLL(library), cls("harp", library)
    tagger.ch2.trigger_level(TRIGGER_V)
    comb = Comb(tagger, 2)

    def call(function: str, on: int, off: int = 0) -> tuple[Callable[[], Any], Callable[[], Any]]:
        return lambda: getattr(device, function)(on), lambda: getattr(device, function)(off)

    return Subject(
        "harp",
        comb.begin,
        comb.use,
        {
            "lost": call("fake_lose", 1),
            "exception": call("fake_fail_reads", -33),
            "short read": call("fake_halve", 1),
            "bad count": call("fake_count", -7),
            "overflow": (lambda: device.fake_set_flags(FIFO_FULL), _nothing),
            "late": call("fake_stall", 1),
        },
    )


def _multiharp(stack: ExitStack, folder: Path) -> Subject:
    return _harp(stack, folder, "fake_mhlib.c", PicoquantMultiHarp)


def _hydraharp(stack: ExitStack, folder: Path) -> Subject:
    return _harp(stack, folder, "fake_hhlib.c", PicoquantHydraHarp)


def _highfinesse(stack: ExitStack, folder: Path) -> Subject:
    library = _compiled("fake_wlmdata.c", folder)
    device = ctypes.CDLL(library)
    device.plant.argtypes = (ctypes.c_double,)
    wavemeter = HighFinesseWlm("wlm", library)

    def use() -> bool:
        assert wavemeter.frequency.get() == pytest.approx(194.95e12)
        return False

    def shows(value: float) -> tuple[Callable[[], Any], Callable[[], Any]]:
        return lambda: device.plant(value), lambda: device.plant(0.0)

    codes = {"lost": -5.0, "no light": -1.0, "two lasers": -2.0, "overflow": -4.0, "nan": math.nan, "inf": math.inf}
    return Subject("wlm", _nothing, use, {name: shows(code) for name, code in codes.items()})


def _replay(stack: ExitStack, folder: Path) -> Subject:
    file, whole = folder / "tags.npz", folder / "whole.npz"
    t_ps = PERIOD_PS * np.arange(1000, dtype=np.int64)
    np.savez_compressed(whole, t_ps=t_ps, channel=np.ones(len(t_ps), np.uint8))
    shutil.copy(whole, file)
    rng, tagger = np.random.default_rng(3), ReplayTagger("replay", str(file), pace=0)

    def use() -> bool:
        tagger.start()
        blocks = []
        while not tagger.finished():
            blocks.append(tagger.read(TIMEOUT_S))
        np.testing.assert_array_equal(TimeTags.concatenate(block.tags for block in blocks).t_ps, t_ps)
        return False

    def damaged(damage: Callable[[bytearray], bytes]) -> tuple[Callable[[], Any], Callable[[], Any]]:
        return lambda: file.write_bytes(damage(bytearray(whole.read_bytes()))), lambda: shutil.copy(whole, file)

    def flipped(content: bytearray) -> bytes:
        content[int(rng.integers(len(content)))] ^= 0xFF
        return bytes(content)

    return Subject(
        "replay",
        _nothing,
        use,
        {
            "truncated": damaged(lambda content: bytes(content[: int(rng.integers(len(content)))])),
            "corrupt": damaged(flipped),
            "garbage": damaged(lambda content: rng.bytes(len(content))),
            "lost": (file.unlink, lambda: shutil.copy(whole, file)),
        },
    )


def _compiled(source: str, folder: Path) -> str:
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler")
    library = folder / f"{source}.so"
    path = Path(__file__).parent / "drivers" / source
    subprocess.run([compiler, "-shared", "-fPIC", "-w", "-o", library, path], check=True)
    return str(library)


@pytest.mark.parametrize(
    "make", [_swabian, _multiharp, _hydraharp, _highfinesse, _replay], ids=lambda make: make.__name__.strip("_")
)
def test_faults_of_the_library(make: Callable[[ExitStack, Path], Subject], stack: ExitStack, tmp_path: Path) -> None:
    subject = make(stack, tmp_path)
    rng = np.random.default_rng(2026)
    injected, told = Counter[str](), 0
    kinds = [kind for _, kind in zip(range(FAULTS_EACH), itertools.cycle(subject.faults), strict=False)]
    for kind in (kinds[k] for k in rng.permutation(len(kinds))):
        strike, relieve = subject.faults[kind]
        injected[kind] += 1
        subject.begin()
        subject.use()
        strike()
        told += _attempt(subject)
        relieve()
        _works_again(subject)
    sys.stdout.write(f"FAULTS {json.dumps({'driver': subject_name(make), 'injected': injected, 'named': told})}\n")
    assert told > FAULTS_EACH / 3  # the campaign did bite


def subject_name(make: Callable[..., Any]) -> str:
    return make.__name__.strip("_")


def _attempt(subject: Subject) -> int:
    """Uses the instrument until something is said or the fault has shown that it does no harm; 1 when something is said."""
    for _ in range(3):
        start_s = time.perf_counter()
        try:
            if subject.use():
                return 1
            continue
        except InstrumentError as caught:
            said = str(caught)
        assert time.perf_counter() - start_s < TIMEOUT_S + WITHIN_S
        assert said.startswith(f"{subject.name}: ")
        assert "\n" not in said
        return 1
    return 0


def _works_again(subject: Subject) -> None:
    subject.begin()
    assert subject.use() is False
