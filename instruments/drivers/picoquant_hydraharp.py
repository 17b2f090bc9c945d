"""PicoQuant HydraHarp 400 in T2 mode, through the vendor's library HHLib (not shipped: install PicoQuant's package)."""

from __future__ import annotations

import ctypes

from qcodes.instrument import InstrumentBaseKWArgs
from typing_extensions import Unpack

from .picoquant_multiharp import READ_RECORDS, PicoquantMultiHarp

#: Zero cross level of the discriminators, mV.
ZERO_CROSS_MV = 10


class PicoquantHydraHarp(PicoquantMultiHarp):
    """A TimeTagger with the same records as the MultiHarp; its inputs take negative pulses.

    Args:
        library: file name or path of the vendor's library (``libhh400.so``, ``hhlib64.dll``).
        device: index of the device, 0 … 7.
        external_clock: the 10 MHz input is the time base.

    Raises:
        ConnectionLost: no library or no such device.
    """

    model, prefix = "HydraHarp", "HH"
    trigger_range_v = (-1.0, 0.0)

    def __init__(
        self,
        name: str,
        library: str = "libhh400.so",
        *,
        device: int = 0,
        external_clock: bool = False,
        **kwargs: Unpack[InstrumentBaseKWArgs],
    ) -> None:
        super().__init__(name, library, device=device, external_clock=external_clock, **kwargs)
        self._call("Calibrate")

    def set_trigger_level(self, index: int, level_v: float) -> None:
        self._call("SetInputCFD", index, round(-1e3 * level_v), ZERO_CROSS_MV)

    def _read_records(self) -> int:
        records = self._buffer.ctypes.data_as(ctypes.POINTER(ctypes.c_uint32))
        return self._integer("ReadFiFo", records, READ_RECORDS)
