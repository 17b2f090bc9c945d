"""Mock time tagger: hands out what the simulated tagger of its node has recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...analysis.records import PS_PER_S, TagBlock
from ..errors import ConnectionLost
from ..twin import World
from .base import MockInstrument
from .pacing import Pacer

if TYPE_CHECKING:
    from typing import Unpack

    from qcodes.instrument import InstrumentBaseKWArgs
    from qcodes.parameters import Parameter


class MockTimeTagger(MockInstrument):
    """A stream of clicks on its own clock. Reading it is what makes the simulated lab's time go on.

    Free-running labs advance by a block of the world's choosing; paced labs wait for the wall clock.
    """

    def __init__(
        self, name: str, world: World, component: str | None = None, **kwargs: Unpack[InstrumentBaseKWArgs]
    ) -> None:
        super().__init__(name, world, component, **kwargs)
        self._pacer = Pacer.of(world)
        self.running: Parameter[bool, MockTimeTagger] = self.add_parameter(
            "running", get_cmd=lambda: world.tagger_running(self.component)
        )
        """Whether clicks are being kept."""
        self.jitter: Parameter[float, MockTimeTagger] = self.add_parameter(
            "jitter", unit="s", get_cmd=lambda: world.config.taggers[self.component].jitter_ps / PS_PER_S  # type: ignore[index]
        )  # fmt: skip
        """rms timing jitter of one input, as in the data sheet."""

    def start(self) -> None:
        """Keeps clicks from now on."""
        self.world.start_tagger(self.component)

    def stop(self) -> None:
        """Keeps no more clicks."""
        self.world.stop_tagger(self.component)

    def read(self, timeout_s: float) -> TagBlock:
        """The next block; never waits longer than ``timeout_s`` of wall time. Raises ConnectionLost when not started."""
        if not self.world.tagger_running(self.component):
            raise ConnectionLost(self.name, "the tagger is stopped: call start() before read()")
        block = self.world.read_tagger(self.component, self._pacer.next_block_ps(timeout_s))
        if self.world.hung(self.component):
            raise ConnectionLost(self.name, f"no block within {timeout_s} s")
        return block
