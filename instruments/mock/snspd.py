"""Mock superconducting detector rack: pixels with bias, count rate and latch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qcodes import validators as vals
from qcodes.instrument import ChannelList, InstrumentChannel

from ..twin import World
from .base import MockInstrument

if TYPE_CHECKING:
    from typing import Unpack

    from qcodes.instrument import InstrumentBaseKWArgs
    from qcodes.parameters import Parameter


class MockSnspdChannel(InstrumentChannel):
    """One pixel."""

    def __init__(self, parent: MockSnspd, name: str) -> None:
        super().__init__(parent, name)
        self._world, self._channel = parent.world, name
        component = f"{parent.component}.{name}"
        world = parent.world
        limit_a = world.config.detectors[name].max_bias_a  # type: ignore[index]
        self.bias: Parameter[float, MockSnspdChannel] = self.add_parameter(
            "bias", unit="A", vals=vals.Numbers(0, limit_a),
            get_cmd=lambda: world.get(component, "bias"), set_cmd=lambda a: world.set(component, "bias", a),
        )  # fmt: skip
        """Bias current; too close to the switching current the pixel latches."""
        self.count_rate: Parameter[float, MockSnspdChannel] = self.add_parameter(
            "count_rate", unit="Hz", get_cmd=lambda: world.get(component, "count_rate")
        )
        """Clicks counted in one second."""
        self.latched: Parameter[bool, MockSnspdChannel] = self.add_parameter(
            "latched", get_cmd=lambda: bool(world.get(component, "latched"))
        )
        """Whether the pixel is stuck in the normal state and blind."""

    def reset(self) -> None:
        """Cycles the bias: frees a latched pixel unless its bias is still too high."""
        self._world.reset_detector(self._channel)


class MockSnspd(MockInstrument):
    """Rack of pixels ``ch1 .. ch4``: midpoint A and B, Alice's and Bob's own detector."""

    def __init__(
        self, name: str, world: World, component: str | None = None, **kwargs: Unpack[InstrumentBaseKWArgs]
    ) -> None:
        super().__init__(name, world, component, **kwargs)
        channels = ChannelList(self, "channels", MockSnspdChannel)
        for channel in world.config.detectors:
            pixel = MockSnspdChannel(self, channel)
            channels.append(pixel)
            self.add_submodule(channel, pixel)
        self.channels = self.add_submodule("channels", channels.to_channel_tuple())
