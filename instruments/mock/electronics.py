"""Mock electronics beside the taggers: the frequency reference of a node's clock, and the logic that decides on heralds."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from qcodes import validators as vals

from ..interfaces import HeraldCondition
from ..twin import World
from .base import MockInstrument
from .pulser import rule_of

if TYPE_CHECKING:
    from typing import Unpack

    from qcodes.instrument import InstrumentBaseKWArgs
    from qcodes.parameters import Parameter


class MockFrequencyReference(MockInstrument):
    """A FrequencyReference: the 10 MHz behind a tagger's clock (components ``tagger``, ``alice_tagger``, ``bob_tagger``)."""

    def __init__(
        self, name: str, world: World, component: str = "tagger", **kwargs: Unpack[InstrumentBaseKWArgs]
    ) -> None:
        super().__init__(name, world, component, **kwargs)
        self.locked: Parameter[bool, MockFrequencyReference] = self.add_parameter(
            "locked", get_cmd=lambda: bool(world.get(component, "locked"))
        )
        """The clock follows its reference; not so after a ``lost_reference``."""
        self.frequency_offset: Parameter[float, MockFrequencyReference] = self.add_parameter(
            "frequency_offset", vals=vals.Numbers(-2e-9, 2e-9),
            get_cmd=self._get("frequency_offset"), set_cmd=self._set("frequency_offset"),
        )  # fmt: skip
        """Fractional frequency offset: the clock runs that much faster."""


class MockHeraldLogic(MockInstrument):
    """HeraldLogic between the midpoint's detectors and the pulse generator's trigger."""

    def load_condition(self, condition: HeraldCondition | None) -> None:
        """What decides on heralds of the loaded pulses from now on; None: nothing does."""
        if self.world.program is None:
            return  # pulses bring their own condition with them
        playing = self.world.running
        self.world.load(replace(self.world.program, rule=rule_of(condition)))
        if playing:
            self.world.start_playing()
