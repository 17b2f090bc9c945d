"""What every SNSPD bias box does: limits, ramps and getting a latched detector out of its resistive state.

A device's driver subclasses BiasBox and says how to read and write one channel.
"""

from __future__ import annotations

import time

from qcodes.instrument import ChannelTuple, Instrument, InstrumentBaseKWArgs, InstrumentChannel
from qcodes.parameters import Parameter
from qcodes.validators import Numbers
from typing_extensions import Unpack

from .ramps import ramp_levels

RAMP_STEP_S = 0.01
#: Time without bias in which the nanowire cools back to the superconducting state (µs in the wire; ms in the bias tee).
RESET_PAUSE_S = 0.02


class BiasBox(Instrument):
    """A SinglePhotonDetector made of bias channels ``ch1 …``.

    Args:
        max_bias_a: highest bias any channel may get.
        bias_slew_a_per_s: speed of every bias change.
    """

    def __init__(
        self, name: str, *, max_bias_a: float, bias_slew_a_per_s: float, **kwargs: Unpack[InstrumentBaseKWArgs]
    ) -> None:
        super().__init__(name, **kwargs)
        self.max_bias_a, self.bias_slew_a_per_s = max_bias_a, bias_slew_a_per_s
        self.channels: ChannelTuple[BiasChannel] = ChannelTuple(self, "channels", BiasChannel)

    def _add_channels(self, n: int) -> None:
        made = [BiasChannel(self, f"ch{k + 1}", k) for k in range(n)]
        for channel in made:
            self.add_submodule(channel.short_name, channel)
        self.channels = self.add_submodule("channels", ChannelTuple(self, "channels", BiasChannel, made))

    def read_bias_a(self, index: int) -> float:
        raise NotImplementedError

    def write_bias_a(self, index: int, bias_a: float) -> None:
        raise NotImplementedError

    def read_rate_hz(self, index: int) -> float:
        raise NotImplementedError

    def read_latched(self, index: int) -> bool:
        raise NotImplementedError


class BiasChannel(InstrumentChannel[BiasBox]):
    """A DetectorChannel."""

    def __init__(self, parent: BiasBox, name: str, index: int, **kwargs: Unpack[InstrumentBaseKWArgs]) -> None:
        super().__init__(parent, name, **kwargs)
        self.index = index
        self.bias: Parameter[float, BiasChannel] = self.add_parameter(
            "bias",
            unit="A",
            get_cmd=lambda: parent.read_bias_a(index),
            set_cmd=self._ramp_to,
            vals=Numbers(0, parent.max_bias_a),
        )
        """Bias current; setting it returns when the ramp has arrived."""
        self.count_rate: Parameter[float, BiasChannel] = self.add_parameter(
            "count_rate", unit="Hz", get_cmd=lambda: parent.read_rate_hz(index), snapshot_get=False
        )
        """Clicks a second over one whole measurement period; takes one to two periods."""
        self.latched: Parameter[bool, BiasChannel] = self.add_parameter(
            "latched", get_cmd=lambda: parent.read_latched(index)
        )
        """The nanowire is stuck in its resistive state and sees nothing."""

    def reset(self) -> None:
        """Ramps the bias to zero, waits for the wire to cool, and ramps back to where it was."""
        bias_a = self.bias.get()
        self.bias.set(0.0)
        time.sleep(RESET_PAUSE_S)
        self.bias.set(bias_a)

    def _ramp_to(self, target_a: float) -> None:
        start_a = self.parent.read_bias_a(self.index)
        for bias_a in ramp_levels(start_a, target_a, self.parent.bias_slew_a_per_s, RAMP_STEP_S):
            self.parent.write_bias_a(self.index, float(bias_a))
            if bias_a != target_a:
                time.sleep(RAMP_STEP_S)
