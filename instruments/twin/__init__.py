"""The simulated lab: physics only, no I/O, no instrument framework."""

from .config import ClockConfig, DetectorConfig, TwinConfig
from .node import ProgramError
from .program import HeraldRule, Program, Pulse, Section
from .world import World

__all__ = [
    "ClockConfig",
    "DetectorConfig",
    "HeraldRule",
    "Program",
    "ProgramError",
    "Pulse",
    "Section",
    "TwinConfig",
    "World",
]
