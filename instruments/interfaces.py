"""What every instrument of a class can do, whoever made it: Protocols over QCoDeS parameters.

A parameter carries its unit and validator itself; the names here are the ones experiments, the GUI and the station file
use. Mock, emulated-real and real drivers of a class pass the same contract suite (tests/instruments/contract).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from qcodes.parameters import ParameterBase

from ..analysis.records import TagBlock
from .pulse_table import HeraldCondition as HeraldCondition
from .pulse_table import Pulse as Pulse
from .pulse_table import PulseTable as PulseTable
from .pulse_table import Segment as Segment


@runtime_checkable
class Laser(Protocol):
    """``emission`` (bool), ``power`` (W), ``frequency`` (Hz)."""

    emission: ParameterBase
    power: ParameterBase
    frequency: ParameterBase


@runtime_checkable
class DetectorChannel(Protocol):
    """One pixel: ``bias`` (A), ``count_rate`` (Hz, get), ``latched`` (bool, get); ``reset()`` cycles the bias."""

    bias: ParameterBase
    count_rate: ParameterBase
    latched: ParameterBase

    def reset(self) -> None: ...


@runtime_checkable
class SinglePhotonDetector(Protocol):
    """Channels as submodules ``ch1, ch2, …``, listed in ``channels``."""

    channels: Any


@runtime_checkable
class TimeTagger(Protocol):
    """A stream of clicks; blocks follow one another without gap from ``start()`` on."""

    def start(self) -> None: ...
    def stop(self) -> None: ...
    def read(self, timeout_s: float) -> TagBlock:
        """The next block. Raises ConnectionLost when nothing comes within ``timeout_s``."""
        ...


@runtime_checkable
class PulseGenerator(Protocol):
    """Plays a PulseTable: ``load`` checks and uploads, ``arm`` readies, ``start`` runs, ``stop`` ends with all outputs low. Edges lie on multiples of ``sample_ps``."""

    running: ParameterBase
    sample_ps: int

    def load(self, table: PulseTable) -> None: ...
    def arm(self) -> None: ...
    def start(self) -> None: ...
    def stop(self) -> None: ...


@runtime_checkable
class QuantumMemory(Protocol):
    """``electrode_voltage`` (V), ``magnetic_field`` (T), ``resonance_frequency`` (Hz, get), ``temperature`` (K, get)."""

    electrode_voltage: ParameterBase
    magnetic_field: ParameterBase
    resonance_frequency: ParameterBase
    temperature: ParameterBase


@runtime_checkable
class TemperatureController(Protocol):
    """``temperature`` (K, get), ``setpoint`` (K)."""

    temperature: ParameterBase
    setpoint: ParameterBase


@runtime_checkable
class PairSource(Protocol):
    """``emission`` (bool), ``pump_power`` (W)."""

    emission: ParameterBase
    pump_power: ParameterBase


@runtime_checkable
class AnalogOutput(Protocol):
    """``voltage`` (V) with ramp rate ``slew_rate`` (V/s)."""

    voltage: ParameterBase
    slew_rate: ParameterBase


@runtime_checkable
class EdgeCounter(Protocol):
    """``count_rate`` (Hz, get) over ``integration_time`` (s)."""

    count_rate: ParameterBase
    integration_time: ParameterBase


@runtime_checkable
class AnalogInput(Protocol):
    """``voltage`` (V, get): the input now."""

    voltage: ParameterBase


@runtime_checkable
class DigitalLines(Protocol):
    """One switch parameter a line, named as in ``lines`` (name → physical line)."""

    lines: dict[str, str]


@runtime_checkable
class MagnetSupply(Protocol):
    """``magnetic_field`` (T), ``ramp_rate`` (T/s)."""

    magnetic_field: ParameterBase
    ramp_rate: ParameterBase


@runtime_checkable
class Attenuator(Protocol):
    """``attenuation`` (dB), ``shutter_open`` (bool)."""

    attenuation: ParameterBase
    shutter_open: ParameterBase


@runtime_checkable
class OpticalSwitch(Protocol):
    """``position`` (int, from 1)."""

    position: ParameterBase


@runtime_checkable
class PolarizationController(Protocol):
    """Paddle angles ``angle1``, ``angle2``, ``angle3`` (degrees)."""

    angle1: ParameterBase
    angle2: ParameterBase
    angle3: ParameterBase


@runtime_checkable
class PowerMeter(Protocol):
    """``power`` (W, get), ``wavelength`` (m) it is corrected for."""

    power: ParameterBase
    wavelength: ParameterBase


@runtime_checkable
class Wavemeter(Protocol):
    """``frequency`` (Hz, get), ``wavelength`` (m in vacuum, get)."""

    frequency: ParameterBase
    wavelength: ParameterBase


@runtime_checkable
class FrequencyReference(Protocol):
    """``locked`` (bool, get), ``frequency_offset`` (fractional)."""

    locked: ParameterBase
    frequency_offset: ParameterBase


@runtime_checkable
class HeraldLogic(Protocol):
    """Electronics that decide on a herald by themselves."""

    def load_condition(self, condition: HeraldCondition | None) -> None: ...


class LabClock(Protocol):
    """The only source of time: the wall clock of a real lab or the world's clock of a simulated one."""

    def now_s(self) -> float: ...
    def sleep(self, duration_s: float) -> None: ...


@dataclass(frozen=True, slots=True)
class Channel:
    """One tagger input as the station file names it."""

    number: int
    name: str
    delay_ps: int = 0
    detector: str = ""


@dataclass(frozen=True, slots=True)
class Node:
    """One site: its instruments by role (``tagger``, ``memory``, ``detector``), its tagger's channels, its distance.

    ``photon_delay_ps`` is the time light takes from the node to the midpoint detectors.
    """

    name: str
    instruments: dict[str, str] = field(default_factory=dict)
    channels: tuple[Channel, ...] = ()
    photon_delay_ps: int = 0

    def channel(self, name: str) -> int:
        """Number of the channel of that name. Raises KeyError naming the channels there are."""
        for channel in self.channels:
            if channel.name == name:
                return channel.number
        raise KeyError(f"node {self.name} has no channel {name!r}; it has {[c.name for c in self.channels]}")
