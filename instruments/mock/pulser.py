"""Mock pulse generator: checks a table and hands it to the simulated lab as pulses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import InstrumentError, LimitError
from ..interfaces import HeraldCondition, Pulse, PulseTable, Segment
from ..shapes import SHAPES, area
from ..twin import HeraldRule, Program, ProgramError, Section, World
from ..twin import Pulse as PlayedPulse
from .base import MockInstrument

if TYPE_CHECKING:
    from typing import Unpack

    from qcodes.instrument import InstrumentBaseKWArgs
    from qcodes.parameters import Parameter

OUTPUTS = (
    *("sync", "gate", "initialise", "alice_mw", "bob_mw", "excitation", "alice_readout", "bob_readout"),
    *("probe", "reference"),
    *(f"{node}_{line}" for node in ("alice", "bob") for line in ("input", "burn", "electrode", "control")),
)


class MockPulseGenerator(MockInstrument):
    """Plays pulse tables in the simulated lab; its outputs are wired as listed in ``OUTPUTS``."""

    sample_ps = 1000

    def __init__(
        self, name: str, world: World, component: str | None = None, **kwargs: Unpack[InstrumentBaseKWArgs]
    ) -> None:
        super().__init__(name, world, component, **kwargs)
        self._armed = False
        self.running: Parameter[bool, MockPulseGenerator] = self.add_parameter("running", get_cmd=lambda: world.running)
        """Whether a table is being played."""

    def load(self, table: PulseTable) -> None:
        """Uploads a table. Raises LimitError for a pulse the generator cannot play; the old table stays then."""
        for where, segment in (("header", table.header), ("attempt", table.attempt), ("on_herald", table.on_herald)):
            for pulse in segment.pulses if segment else ():
                self._check(pulse, where, table.sample_ps)
        if table.attempts_per_burst < 1 or table.attempt.length_ps <= 0:
            raise LimitError(self.name, "a burst needs at least one attempt, longer than 0 ps", "load")
        try:
            self.world.load(as_program(table))
        except ProgramError as error:
            raise LimitError(self.name, str(error), "load") from error
        self._armed = False

    def arm(self) -> None:
        """Makes ready. Raises InstrumentError when nothing is loaded."""
        if self.world.program is None:
            raise InstrumentError(self.name, "nothing to arm: load() a pulse table first", "arm")
        self._armed = True

    def start(self) -> None:
        """Plays from now on. Raises InstrumentError when not armed."""
        if not self._armed:
            raise InstrumentError(self.name, "not armed: call arm() after load()", "start")
        self.world.start_playing()

    def stop(self) -> None:
        """All outputs low."""
        self.world.stop_playing()

    def _check(self, pulse: Pulse, where: str, sample_ps: int) -> None:
        what = f"{where} pulse on {pulse.channel!r} at {pulse.start_ps} ps"
        if pulse.channel not in OUTPUTS:
            raise LimitError(self.name, f"{what}: no such output; there are {', '.join(OUTPUTS)}", "load")
        if not isinstance(pulse.shape, tuple(SHAPES.values())):
            raise LimitError(self.name, f"{what}: shape {pulse.shape!r} is not one of {', '.join(SHAPES)}", "load")
        if not 0 <= pulse.amplitude <= 1:
            raise LimitError(self.name, f"{what}: amplitude {pulse.amplitude} is outside 0..1", "load")
        if pulse.start_ps < 0 or pulse.duration_ps <= 0:
            raise LimitError(self.name, f"{what}: must start at 0 ps or later and last longer than 0 ps", "load")
        if pulse.start_ps % sample_ps or pulse.duration_ps % sample_ps:
            raise LimitError(self.name, f"{what}: start and duration must be multiples of {sample_ps} ps", "load")


def as_program(table: PulseTable) -> Program:
    """The table in the terms of the simulated lab."""
    rule, on_herald = rule_of(table.condition), _section(table.on_herald) if table.on_herald else Section(0)
    return Program(
        _section(table.header), _section(table.attempt), table.attempts_per_burst, rule, on_herald, table.bursts
    )


def rule_of(condition: HeraldCondition | None) -> HeraldRule | None:
    """A condition in the terms of the simulated lab."""
    if condition is None:
        return None
    early_ps, *late_ps = condition.windows_ps
    return HeraldRule(early_ps, late_ps[0] if late_ps else None, condition.latency_ps)


def _section(segment: Segment) -> Section:
    pulses = [
        PlayedPulse(
            p.channel, p.start_ps, p.duration_ps, p.amplitude, p.phase_rad, p.amplitude * area(p.shape, p.duration_ps)
        )
        for p in segment.pulses
    ]
    return Section(segment.length_ps, tuple(sorted(pulses, key=lambda p: p.start_ps)))
