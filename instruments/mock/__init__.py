"""Mock instruments: the interfaces of the lab, in process, over the simulated one."""

from .base import MockInstrument
from .daq import MockAnalogInput, MockAnalogOutput, MockDigitalLines, MockEdgeCounter
from .electronics import MockFrequencyReference, MockHeraldLogic
from .fibre import MockAttenuator, MockOpticalSwitch, MockPowerMeter
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
    "MockAnalogInput",
    "MockAnalogOutput",
    "MockAttenuator",
    "MockDelayLine",
    "MockDigitalLines",
    "MockEdgeCounter",
    "MockErbiumMemory",
    "MockFrequencyReference",
    "MockFrequencyShifter",
    "MockHeraldLogic",
    "MockInstrument",
    "MockLabClock",
    "MockLaser",
    "MockLightSource",
    "MockOpticalSwitch",
    "MockPairSource",
    "MockPhaseShifter",
    "MockPolarizationController",
    "MockPowerMeter",
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
