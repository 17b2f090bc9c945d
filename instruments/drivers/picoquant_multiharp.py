"""PicoQuant MultiHarp 150/160 in T2 mode, through the vendor's library MHLib (not shipped: install PicoQuant's package)."""

from __future__ import annotations

import ctypes
import time
from typing import Any

import numpy as np
from qcodes.instrument import ChannelTuple, Instrument, InstrumentBaseKWArgs, InstrumentChannel
from qcodes.parameters import Parameter
from qcodes.validators import Ints, Numbers
from typing_extensions import Unpack

from ...analysis.records import TagBlock
from ..errors import BadReply, ConnectionLost, InstrumentError
from .t2 import decode_t2
from .tag_merge import TagMerger

T2_MODE = 2
INTERNAL_CLOCK, EXTERNAL_CLOCK = 0, 1
FIFO_FULL = 0x0002
READ_RECORDS = 1_048_576
LONGEST_RUN_MS = 360_000_000
POLL_S = 0.002
SYNC_DIVIDER = 1


class PicoquantMultiHarp(Instrument):
    """A TimeTagger: channel 0 is the sync input, 1 … are the detector inputs.

    Args:
        library: file name or path of the vendor's library; empty for ``libmhlib.so`` (Windows: ``mhlib64.dll``).
        device: index of the device, 0 … 7.
        external_clock: the 10 MHz input is the time base.

    Raises:
        ConnectionLost: no library or no such device.
    """

    #: Names of the device and of its library's functions.
    model, prefix, default_library = "MultiHarp", "MH", "libmhlib.so"
    trigger_range_v = (-1.2, 1.2)

    def __init__(
        self,
        name: str,
        library: str = "",
        *,
        device: int = 0,
        external_clock: bool = False,
        **kwargs: Unpack[InstrumentBaseKWArgs],
    ) -> None:
        super().__init__(name, **kwargs)
        self._device, library = device, library or self.default_library
        try:
            self._library = ctypes.CDLL(library)
        except OSError as error:
            raise ConnectionLost(name, f"cannot load PicoQuant's library {library}: {error}") from error
        self._clock_source = EXTERNAL_CLOCK if external_clock else INTERNAL_CLOCK
        self._settings: dict[tuple[str, int], tuple[int, ...]] = {}
        self._serial = self._open()
        self._prepare()
        self._resolution_ps = self._base_resolution_ps()
        self._buffer = np.zeros(READ_RECORDS, np.uint32)
        self._merger, self._wraps, self._measuring = TagMerger(name), 0, False
        made = [MultiHarpInput(self, f"ch{k}", k) for k in range(1, self._integer("GetNumOfInputChannels") + 1)]
        for channel in made:
            self.add_submodule(channel.short_name, channel)
        self.inputs: ChannelTuple[MultiHarpInput] = self.add_submodule(
            "inputs", ChannelTuple(self, "inputs", MultiHarpInput, made)
        )
        """The detector inputs."""

    def get_idn(self) -> dict[str, str | None]:
        model, part, version = (ctypes.create_string_buffer(64) for _ in range(3))
        self._call("GetHardwareInfo", model, part, version)
        return {
            "vendor": "PicoQuant",
            "model": model.value.decode(),
            "serial": self._serial,
            "firmware": version.value.decode(),
        }

    # -- TimeTagger ----------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begins recording; time zero is now. Opens a device again that was away.

        Raises:
            ConnectionLost: it is still away.
        """
        try:
            if self._measuring:
                self.stop()
            self._call("StartMeas", LONGEST_RUN_MS)
        except InstrumentError:
            self._function("CloseDevice")(self._device)
            self._open()
            self._prepare()
            for (function, index), values in self._settings.items():
                self._call(function, index, *values)
            self._call("StartMeas", LONGEST_RUN_MS)
        self._merger, self._wraps, self._measuring = TagMerger(self.name), 0, True

    def stop(self) -> None:
        """Ends recording."""
        self._call("StopMeas")
        self._measuring = False

    def read(self, timeout_s: float) -> TagBlock:
        """The next block; it ends at the last record the device has sent (it sends time marks when there is no click).

        Raises:
            ConnectionLost: not recording, or nothing came within ``timeout_s``.
        """
        if not self._measuring:
            raise ConnectionLost(self.name, "is not recording; call start() first", "read")
        deadline_s = time.monotonic() + timeout_s
        try:
            while not (count := self._read_records()):
                if time.monotonic() > deadline_s:
                    break
                time.sleep(POLL_S)
            else:
                return self._block(count)
        except InstrumentError:
            self._merger.lost(-1)  # records may have been read and not decoded
            raise
        raise ConnectionLost(self.name, f"no record within {timeout_s:g} s", f"{self.prefix}_ReadFiFo")

    def close(self) -> None:
        self._function("CloseDevice")(self._device)
        super().close()

    def set_trigger_level(self, index: int, level_v: float) -> None:
        """Discriminator level of an input (0 …); the sign is the direction of the edge."""
        self.change("SetInputEdgeTrg", index, round(1e3 * level_v), 1 if level_v > 0 else 0)

    def change(self, function: str, index: int, *values: int) -> None:
        """Changes a setting of an input; a device that was away gets it again when it is back."""
        self._call(function, index, *values)
        self._settings[function, index] = values

    # -- the library ---------------------------------------------------------------------------------------------------

    def _read_records(self) -> int:
        """Fills the buffer with what there is; how many records."""
        count = self._integer("ReadFiFo", *self._fifo())
        if not 0 <= count <= READ_RECORDS:
            raise BadReply(self.name, f"not 0 … {READ_RECORDS} records", f"{self.prefix}_ReadFiFo", count)
        return count

    def _fifo(self) -> tuple[Any, ...]:
        """Where ReadFiFo writes to."""
        return (self._buffer.ctypes.data_as(ctypes.POINTER(ctypes.c_uint32)),)

    def _prepare(self) -> None:
        """What a device needs after it was opened."""
        self._call("Initialize", T2_MODE, self._clock_source)

    def _block(self, n: int) -> TagBlock:
        decoded = decode_t2(self._buffer[:n], self._wraps)
        self._wraps = decoded.wraps
        if self._integer("GetFlags") & FIFO_FULL:
            self._merger.lost(-1)
        t_ps = np.rint(decoded.ticks * self._resolution_ps).astype(np.int64)
        for channel in np.unique(decoded.channel):
            self._merger.add(int(channel), t_ps[decoded.channel == channel])
        # A click at the very last tick may have a twin in the next read.
        return self._merger.take(int(np.rint(decoded.last_tick * self._resolution_ps)))

    def _open(self) -> str:
        serial = ctypes.create_string_buffer(64)
        code = self._function("OpenDevice")(self._device, serial)
        if code < 0:
            what = f"no {self.model} with index {self._device}"
            raise ConnectionLost(self.name, what, f"{self.prefix}_OpenDevice", self._words(code))
        return serial.value.decode()

    def _base_resolution_ps(self) -> float:
        resolution, steps = ctypes.c_double(), ctypes.c_int()
        self._call("GetBaseResolution", ctypes.byref(resolution), ctypes.byref(steps))
        return resolution.value

    def _integer(self, function: str, *arguments: Any) -> int:
        value = ctypes.c_int()
        self._call(function, *arguments, ctypes.byref(value))
        return value.value

    def _call(self, function: str, *arguments: Any) -> None:
        code = self._function(function)(self._device, *arguments)
        if code < 0:
            what = "the library reports an error"
            raise InstrumentError(self.name, what, f"{self.prefix}_{function}", self._words(code))

    def _function(self, name: str) -> Any:
        return getattr(self._library, f"{self.prefix}_{name}")

    def _words(self, code: int) -> str:
        text = ctypes.create_string_buffer(64)
        self._function("GetErrorString")(text, code)
        return f"{code} {text.value.decode()}"


class MultiHarpInput(InstrumentChannel[PicoquantMultiHarp]):
    """One detector input."""

    def __init__(
        self, parent: PicoquantMultiHarp, name: str, number: int, **kwargs: Unpack[InstrumentBaseKWArgs]
    ) -> None:
        super().__init__(parent, name, **kwargs)
        index = number - 1
        self.trigger_level: Parameter[float, MultiHarpInput] = self.add_parameter(
            "trigger_level",
            unit="V",
            set_cmd=lambda v: parent.set_trigger_level(index, v),
            vals=Numbers(*parent.trigger_range_v),
        )
        """Discriminator level; rising edge when positive, falling when negative. The library cannot read it back."""
        self.delay: Parameter[int, MultiHarpInput] = self.add_parameter(
            "delay",
            unit="ps",
            set_cmd=lambda ps: parent.change("SetInputChannelOffset", index, ps),
            vals=Ints(-99_999, 99_999),
        )
        """Added to every tag. The library cannot read it back."""
        self.count_rate: Parameter[float, MultiHarpInput] = self.add_parameter(
            "count_rate", unit="Hz", get_cmd=lambda: float(parent._integer("GetCountRate", index))
        )
        """Rate over the last 100 ms, counted by the device."""
