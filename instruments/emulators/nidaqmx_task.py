"""The values an emulated NI-DAQmx device is made of: channels, sample clocks, gates, tasks, error numbers."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import Enum

from ...analysis.records import FloatArray

PAL_RESOURCE_RESERVED = -50103
INVALID_VALUE = -200077
PHYSICAL_CHANNEL_MISSING = -200170
INVALID_TASK = -200088
INVALID_DEVICE = -200220
SAMPLES_NOT_YET_AVAILABLE = -200284
WAIT_TIMED_OUT = -200560
NO_SAMPLES_WRITTEN = -200462
NO_SUCH_TERMINAL = -89120


class Kind(Enum):
    """What a channel does; the number is DAQmx's channel type."""

    AI = 10100
    AO = 10102
    DI = 10151
    DO = 10153
    CI = 10131


#: What the device has: pattern of the physical channel, kinds it serves.
CHANNELS: tuple[tuple[str, frozenset[Kind]], ...] = (
    (r"ao[0-3]", frozenset({Kind.AO})),
    (r"ai([0-9]|[12][0-9]|3[01])", frozenset({Kind.AI})),
    (r"_ao[0-3]_vs_aognd", frozenset({Kind.AI})),
    (r"ctr[0-3]", frozenset({Kind.CI})),
    (r"port[0-2]/line([0-9]|[12][0-9]|3[01])", frozenset({Kind.DI, Kind.DO})),
)
AO_RANGE_V = (-10.0, 10.0)


class NiError(Exception):
    """An error of the driver with its DAQmx number."""

    def __init__(self, code: int, text: str) -> None:
        self.code, self.text = code, text
        super().__init__(f"{code}: {text}")


@dataclass(frozen=True, slots=True)
class Channel:
    """One channel of a task; ``terminal`` is the port it is wired to."""

    name: str
    physical: str
    kind: Kind
    terminal: str
    low_v: float = AO_RANGE_V[0]
    high_v: float = AO_RANGE_V[1]


@dataclass(frozen=True, slots=True)
class SampleClock:
    """Samples at ``rate_hz``, ``n`` of them when ``finite``; ``source`` names another task's clock or is empty."""

    rate_hz: float
    n: int
    finite: bool
    source: str = ""


@dataclass
class Gate:
    """A counter counts only while ``terminal`` is high (or low). ``passed`` edges up to ``until_s`` lab time."""

    terminal: str = ""
    counts_while_high: bool = True
    passed: float = 0.0
    until_s: float = 0.0


@dataclass
class Task:
    """One DAQmx task. ``started_s`` is the lab time of its first sample, None while it does not run."""

    name: str
    channels: list[Channel] = field(default_factory=list)
    clock: SampleClock | None = None
    start_trigger: str = ""
    gate: Gate | None = None
    armed: bool = False
    started_s: float | None = None
    read_so_far: int = 0
    buffer: FloatArray | None = None
    edges_at_start: dict[str, float] = field(default_factory=dict)
    attributes: dict[tuple[str, str, int], object] = field(default_factory=dict)

    @property
    def kind(self) -> Kind | None:
        return self.channels[0].kind if self.channels else None

    def resources(self) -> set[str]:
        """What the task occupies: the timing engine of its subsystem if clocked, single channels otherwise."""
        if self.clock is not None and self.kind in (Kind.AI, Kind.AO):
            return {f"{self.channels[0].physical.split('/')[0]}/{self.kind.name.lower()} timing"} | self._channels()
        return self._channels()

    def _channels(self) -> set[str]:
        return {channel.physical for channel in self.channels if channel.kind is not Kind.AI}


def expand(channels: str) -> list[str]:
    """``"Dev1/ao0:2, Dev1/ai5"`` → each physical channel by itself."""
    out: list[str] = []
    for part in (piece.strip() for piece in channels.split(",") if piece.strip()):
        span = re.fullmatch(r"(.*?)(\d+):(?:.*?)(\d+)", part)
        if span is None:
            out.append(part)
        else:
            out += [f"{span[1]}{k}" for k in range(int(span[2]), int(span[3]) + 1)]
    return out
