"""The simulated lab: physics only, no I/O, no instrument framework."""

from .attempt_model import ProgramError
from .config import TwinConfig
from .program import HeraldRule, Program, Pulse, Section
from .world import World

__all__ = ["HeraldRule", "Program", "ProgramError", "Pulse", "Section", "TwinConfig", "World"]
