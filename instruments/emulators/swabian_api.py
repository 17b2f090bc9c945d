"""A stand-in for Swabian's Python package: the part of its interface our driver uses, over a world's clicks.

Not an emulation of the device: the vendor's protocol is proprietary and its own virtual tagger needs a licence that comes
with hardware. ``plug(ports, name)`` connects a tagger before ``createTimeTagger`` is called.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...analysis.records import Int64Array
from .ports import Ports

_plugged: dict[str, tuple[Ports, str]] = {}
_opened: dict[str, TimeTagger] = {}


def plug(ports: Ports, name: str, serial: str) -> None:
    """A tagger with that serial number is connected; it records the clicks of the world's tagger ``name``."""
    _plugged[serial] = (ports, name)


def unplug(serial: str) -> None:
    """The tagger is gone: what was opened never works again, as with the package."""
    _plugged.pop(serial, None)
    if serial in _opened:
        _opened.pop(serial).unplugged = True


class TimeTagger:
    """The device object of the vendor's package.

    What can go wrong with it: ``missed`` tags, a lost clock, ``stalled`` time, a ``failure`` that each call reports, and
    ``short`` buffers (so many channel numbers too few).
    """

    def __init__(self, ports: Ports, name: str, serial: str) -> None:
        self.ports, self.name = ports, name
        self.missed = 0
        self.clock_lost = False
        self.unplugged = False
        self.failure = ""
        self.short = 0
        self.stalled_ps: int | None = None
        self._serial = serial
        self._levels: dict[int, float] = {}
        self._delays: dict[int, int] = {}
        self._tests: dict[int, bool] = {}

    def now_ps(self) -> int:
        """Device time. RuntimeError while unplugged, as the package raises."""
        if self.unplugged:
            raise RuntimeError("Time Tagger is disconnected")
        if self.failure:
            raise RuntimeError(self.failure)
        return self.ports.tagger_now_ps(self.name) if self.stalled_ps is None else self.stalled_ps

    def stall(self) -> None:
        """Its time stands still until ``stalled_ps`` is None again."""
        self.stalled_ps = self.now_ps()

    def getSerial(self) -> str:  # noqa: N802
        return self._serial

    def getModel(self) -> str:  # noqa: N802
        return "Time Tagger Ultra (stand-in)"

    def getFirmwareVersion(self) -> str:  # noqa: N802
        return "stand-in"

    def getTriggerLevel(self, channel: int) -> float:  # noqa: N802
        self.now_ps()
        return self._levels.get(channel, 0.5)

    def setTriggerLevel(self, channel: int, voltage: float) -> None:  # noqa: N802
        self.now_ps()
        self._levels[channel] = voltage

    def getInputDelay(self, channel: int) -> int:  # noqa: N802
        return self._delays.get(channel, 0)

    def setInputDelay(self, channel: int, delay: int) -> None:  # noqa: N802
        self._delays[channel] = delay

    def getTestSignal(self, channel: int) -> bool:  # noqa: N802
        return self._tests.get(channel, False)

    def setTestSignal(self, channel: int, on: bool) -> None:  # noqa: N802
        self._tests[channel] = on


def createTimeTagger(serial: str = "", **options: Any) -> TimeTagger:  # noqa: N802
    """The tagger with that serial number, or the only one. RuntimeError when there is none, as in the package."""
    wanted = serial or next(iter(_plugged), "")
    if wanted not in _plugged:
        raise RuntimeError("Could not open Time Tagger: no device found")
    ports, name = _plugged[wanted]
    _opened[wanted] = TimeTagger(ports, name, wanted)
    return _opened[wanted]


def freeTimeTagger(tagger: TimeTagger) -> None:  # noqa: N802
    """Releases the device."""


class TimeTagStreamBuffer:
    """What one ``getData`` returns."""

    def __init__(
        self,
        t_ps: Int64Array,
        channel: NDArray[np.int32],
        kinds: NDArray[np.int8],
        missed: Int64Array,
        span: tuple[int, int],
    ) -> None:
        self._t_ps, self._channel, self._kinds, self._missed = t_ps, channel, kinds, missed
        self.tStart, self.tGetData = span

    def getTimestamps(self) -> Int64Array:  # noqa: N802
        return self._t_ps

    def getChannels(self) -> NDArray[np.int32]:  # noqa: N802
        return self._channel

    def getEventTypes(self) -> NDArray[np.int8]:  # noqa: N802
        return self._kinds

    def getMissedEvents(self) -> Int64Array:  # noqa: N802
        return self._missed


class TimeTagStream:
    """The vendor's raw stream."""

    def __init__(self, tagger: TimeTagger, n_max_events: int, channels: Sequence[int]) -> None:
        self._tagger, self._channels = tagger, list(channels)
        self._start_ps = self._read_ps = tagger.now_ps()

    def stop(self) -> None:
        """Ends the stream."""

    def getData(self) -> TimeTagStreamBuffer:  # noqa: N802
        tagger, now_ps = self._tagger, max(self._tagger.now_ps(), self._read_ps)
        tags = tagger.ports.clicks(tagger.name, self._read_ps, now_ps)
        self._read_ps = now_ps
        delays = np.array([tagger.getInputDelay(int(c)) for c in range(256)], np.int64)
        t_ps, channel = tags.t_ps + delays[tags.channel], tags.channel.astype(np.int32)
        kinds = np.zeros(len(t_ps), np.int8)
        missed = np.zeros(len(t_ps), np.int64)
        if tagger.missed or tagger.clock_lost:
            kind = 1 if tagger.clock_lost else 4
            t_ps, channel = np.append(t_ps, now_ps), np.append(channel, np.int32(self._channels[0]))
            kinds, missed = np.append(kinds, np.int8(kind)), np.append(missed, tagger.missed)
            tagger.missed, tagger.clock_lost = 0, False
        channel = channel[: len(channel) - tagger.short]
        return TimeTagStreamBuffer(t_ps, channel, kinds, missed, (self._start_ps, now_ps))
