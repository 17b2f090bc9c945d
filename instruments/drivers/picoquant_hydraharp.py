"""PicoQuant HydraHarp 400 in T2 mode, through the vendor's library HHLib (not shipped: install PicoQuant's package)."""

from __future__ import annotations

from typing import Any

from .picoquant_multiharp import READ_RECORDS, PicoquantMultiHarp

#: Zero cross level of the discriminators, mV.
ZERO_CROSS_MV = 10


class PicoquantHydraHarp(PicoquantMultiHarp):
    """A TimeTagger with the same records as the MultiHarp; its inputs take negative pulses.

    Args:
        library: file name or path of the vendor's library; empty for ``libhh400.so`` (Windows: ``hhlib64.dll``).
        device: index of the device, 0 … 7.
        external_clock: the 10 MHz input is the time base.

    Raises:
        ConnectionLost: no library or no such device.
    """

    model, prefix, default_library = "HydraHarp", "HH", "libhh400.so"
    trigger_range_v = (-1.0, 0.0)

    def set_trigger_level(self, index: int, level_v: float) -> None:
        self.change("SetInputCFD", index, round(-1e3 * level_v), ZERO_CROSS_MV)

    def _prepare(self) -> None:
        super()._prepare()
        self._call("Calibrate")

    def _fifo(self) -> tuple[Any, ...]:
        return (*super()._fifo(), READ_RECORDS)
