"""Swabian Time Tagger 20 / Ultra / X through the vendor's package (``pip install erbia[swabian]``; its own licence)."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any, TypeVar

import numpy as np
from qcodes.instrument import ChannelTuple, Instrument, InstrumentBaseKWArgs, InstrumentChannel
from qcodes.parameters import Parameter
from qcodes.validators import Bool, Ints, Numbers
from typing_extensions import Unpack

from ...analysis.records import TagBlock
from ..errors import BadReply, ConnectionLost, InstrumentError
from .tag_merge import TagMerger

R = TypeVar("R")

VENDOR_MODULE = "Swabian.TimeTagger"
BUFFER_EVENTS = 4_000_000
POLL_S = 0.005
#: Event types of the vendor's stream.
TIME_TAG, ERROR, OVERFLOW_BEGIN, OVERFLOW_END, MISSED_EVENTS = range(5)


class SwabianTimeTagger(Instrument):
    """A TimeTagger.

    Args:
        serial: of the device; empty for the only one.
        channels: inputs to record, 1 … (positive: rising edges).
        module: the vendor's Python module, or one with the same interface.

    Raises:
        ConnectionLost: the package is not installed or no tagger answers.
    """

    def __init__(
        self,
        name: str,
        serial: str = "",
        *,
        channels: Sequence[int] = (1, 2, 3, 4),
        module: str = VENDOR_MODULE,
        options: Mapping[str, Any] | None = None,
        **kwargs: Unpack[InstrumentBaseKWArgs],
    ) -> None:
        super().__init__(name, **kwargs)
        try:
            self._api: Any = import_module(module)
        except ImportError as error:
            raise ConnectionLost(name, f"the package {module} is not installed: {error}") from error
        self._serial, self._options = serial, dict(options or {})
        self._settings: dict[tuple[str, int], Any] = {}
        self._tagger = self._open()
        self._recorded = list(channels)
        self._stream: Any = None
        self._merger = TagMerger(name)
        self._zero_ps: int | None = None
        made = [SwabianInput(self, f"ch{number}", number) for number in channels]
        for channel in made:
            self.add_submodule(channel.short_name, channel)
        self.inputs: ChannelTuple[SwabianInput] = self.add_submodule(
            "inputs", ChannelTuple(self, "inputs", SwabianInput, made)
        )
        """The inputs, also as ``ch1`` and so on."""

    @property
    def device(self) -> Any:
        """The vendor's tagger object, for its own measurements beside the recording."""
        return self._tagger

    def vendor(self, function: str, call: Callable[..., R], *arguments: Any) -> R:
        """What a call of the vendor's package gives. Raises ConnectionLost in its words when the package reports an error."""
        try:
            return call(*arguments)
        except (RuntimeError, OSError, ValueError) as error:
            raise ConnectionLost(self.name, f"the vendor's package reports: {error}", function) from error

    def change(self, function: str, number: int, value: Any) -> None:
        """Changes a setting of an input; a device that was away gets it again when it is back."""
        self.vendor(function, getattr(self._tagger, function), number, value)
        self._settings[function, number] = value

    def get_idn(self) -> dict[str, str | None]:
        return {
            "vendor": "Swabian Instruments",
            "model": str(self._tagger.getModel()),
            "serial": str(self._tagger.getSerial()),
            "firmware": str(self._tagger.getFirmwareVersion()),
        }

    def start(self) -> None:
        """Begins recording; time zero is the first moment of the stream. Opens a device again that was away.

        Raises:
            ConnectionLost: it is still away.
        """
        try:
            self._stream = self._new_stream()
        except ConnectionLost:
            self._tagger = self._open()
            for (function, number), value in self._settings.items():
                self.vendor(function, getattr(self._tagger, function), number, value)
            self._stream = self._new_stream()
        self._merger = TagMerger(self.name)
        self._zero_ps = None

    def stop(self) -> None:
        """Ends recording."""
        if self._stream is not None:
            stream, self._stream = self._stream, None
            self.vendor("TimeTagStream.stop", stream.stop)

    def read(self, timeout_s: float) -> TagBlock:
        """The next block.

        Raises:
            ConnectionLost: not recording, or the device's time stands still for ``timeout_s``.
            InstrumentError: the device reports that its clock was lost.
        """
        if self._stream is None:
            raise ConnectionLost(self.name, "is not recording; call start() first", "read")
        deadline_s = time.monotonic() + timeout_s
        while True:
            try:
                data = self.vendor("TimeTagStream.getData", self._stream.getData)
            except ConnectionLost:
                self._merger.lost(-1)  # tags may have been taken and not handed over
                raise
            self._zero_ps = int(data.tStart) if self._zero_ps is None else self._zero_ps
            t_stop_ps = int(data.tGetData) - self._zero_ps
            if t_stop_ps > self._merger.handed_out_ps:
                break
            if time.monotonic() > deadline_s:
                raise ConnectionLost(self.name, f"no new time within {timeout_s:g} s", "TimeTagStream.getData")
            time.sleep(POLL_S)
        self._collect(data, self._zero_ps)
        return self._merger.take(t_stop_ps)

    def _open(self) -> Any:
        try:
            return self._api.createTimeTagger(self._serial, **self._options)
        except RuntimeError as error:
            what = f"no Time Tagger {self._serial or 'is connected'}: {error}"
            raise ConnectionLost(self.name, what, "createTimeTagger") from error

    def _new_stream(self) -> Any:
        return self.vendor("TimeTagStream", self._api.TimeTagStream, self._tagger, BUFFER_EVENTS, self._recorded)

    def close(self) -> None:
        self.stop()
        self._api.freeTimeTagger(self._tagger)
        super().close()

    def _collect(self, data: Any, zero_ps: int) -> None:
        kinds = np.asarray(data.getEventTypes())
        if np.any(kinds == ERROR):
            self._merger.lost(-1)
            raise InstrumentError(self.name, "the device lost its clock; tags are not valid", "TimeTagStream.getData")
        t_ps = np.asarray(data.getTimestamps(), np.int64) - zero_ps
        channels = np.asarray(data.getChannels())
        if not len(t_ps) == len(channels) == len(kinds):
            self._merger.lost(-1)
            what = f"{len(t_ps)} times, {len(channels)} channels and {len(kinds)} kinds in one buffer"
            raise BadReply(self.name, what, "TimeTagStream.getData")
        for channel in self._recorded:
            self._merger.add(channel, t_ps[(kinds == TIME_TAG) & (channels == channel)])
        missed = int(np.asarray(data.getMissedEvents())[kinds == MISSED_EVENTS].sum())
        if missed or np.any((kinds == OVERFLOW_BEGIN) | (kinds == OVERFLOW_END)):
            self._merger.lost(missed or -1)


class SwabianInput(InstrumentChannel[SwabianTimeTagger]):
    """One input."""

    def __init__(
        self, parent: SwabianTimeTagger, name: str, number: int, **kwargs: Unpack[InstrumentBaseKWArgs]
    ) -> None:
        super().__init__(parent, name, **kwargs)

        def get(function: str, kind: Callable[[Any], R]) -> Callable[[], R]:
            return lambda: kind(parent.vendor(function, getattr(parent.device, function), number))

        def set_(function: str) -> Callable[[Any], None]:
            return lambda value: parent.change(function, number, value)

        self.trigger_level: Parameter[float, SwabianInput] = self.add_parameter(
            "trigger_level",
            unit="V",
            get_cmd=get("getTriggerLevel", float),
            set_cmd=set_("setTriggerLevel"),
            vals=Numbers(-2.5, 2.5),
        )
        """Discriminator level."""
        self.delay: Parameter[int, SwabianInput] = self.add_parameter(
            "delay",
            unit="ps",
            get_cmd=get("getInputDelay", int),
            set_cmd=set_("setInputDelay"),
            vals=Ints(-(10**9), 10**9),
        )
        """Added to every tag."""
        self.test_signal: Parameter[bool, SwabianInput] = self.add_parameter(
            "test_signal",
            get_cmd=get("getTestSignal", bool),
            set_cmd=set_("setTestSignal"),
            vals=Bool(),
        )
        """The input listens to the built-in oscillator instead of its connector."""
