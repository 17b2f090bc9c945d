"""Mock instruments: the interfaces of the lab, in process, over the simulated one."""

from .base import MockInstrument
from .optics import (
    MockDelayLine,
    MockFrequencyShifter,
    MockLightSource,
    MockPhaseShifter,
    MockPolarizationController,
    MockWavemeter,
)
from .pacing import MockLabClock, Pacer
from .presets import load_clock, load_detector, load_preset, load_world, preset_names
from .pulser import MockPulseGenerator
from .simple import MockErbiumMemory, MockLaser, MockPairSource, MockTemperatureController
from .snspd import MockSnspd, MockSnspdChannel
from .tagger import MockTimeTagger

__all__ = [
    "MockDelayLine",
    "MockErbiumMemory",
    "MockFrequencyShifter",
    "MockInstrument",
    "MockLabClock",
    "MockLaser",
    "MockLightSource",
    "MockPairSource",
    "MockPhaseShifter",
    "MockPolarizationController",
    "MockPulseGenerator",
    "MockSnspd",
    "MockSnspdChannel",
    "MockTemperatureController",
    "MockTimeTagger",
    "MockWavemeter",
    "Pacer",
    "load_clock",
    "load_detector",
    "load_preset",
    "load_world",
    "preset_names",
]
