"""A recorded file as a tagger: the same blocks through the same interface, at the pace of the recording or another."""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any
from zipfile import BadZipFile

from qcodes.instrument import Instrument, InstrumentBaseKWArgs
from qcodes.parameters import Parameter
from qcodes.validators import Bool
from typing_extensions import Unpack

from ...analysis.errors import ErbiaError
from ...analysis.records import PS_PER_S, TagBlock
from ..errors import ConnectionLost, LimitError

#: Reads any tag file as a stream of blocks; named, not imported, as the station file names a driver.
READER = "erbia.analysis.files.tagfile.stream_tags"
SLOWEST, FASTEST = 0.1, 100.0


class ReplayTagger(Instrument):
    """A TimeTagger.

    Args:
        file: a tag file, or ``RUN.h5:source``.
        pace: 0.1 … 100 times the speed of the recording; 0 for as fast as it is read.
        reader: dotted name of ``file -> object with blocks``.
    """

    def __init__(
        self, name: str, file: str, *, pace: float = 1.0, reader: str = READER, **kwargs: Unpack[InstrumentBaseKWArgs]
    ) -> None:
        super().__init__(name, **kwargs)
        if pace != 0 and not SLOWEST <= pace <= FASTEST:
            raise LimitError(name, f"pace {pace:g} is not 0 (free) or {SLOWEST:g} … {FASTEST:g}")
        module, _, function = reader.rpartition(".")
        self._read: Callable[[str], Any] = getattr(import_module(module), function)
        self._file, self._pace = file, pace
        self._blocks: Iterator[TagBlock] | None = None
        self._waiting: TagBlock | None = None
        self._zero_ps, self._started_s = 0, 0.0
        self.finished: Parameter[bool, ReplayTagger] = self.add_parameter(
            "finished", set_cmd=False, initial_cache_value=False, vals=Bool()
        )
        """The end of the file was reached."""

    def get_idn(self) -> dict[str, str | None]:
        return {"vendor": "erbia", "model": f"replay of {self._file}", "serial": None, "firmware": None}

    def start(self) -> None:
        """Plays from the beginning of the file.

        Raises:
            ConnectionLost: the file cannot be read.
        """
        self._blocks = self._readable()
        self._waiting = next(self._blocks, None)
        self._zero_ps = self._waiting.t_start_ps if self._waiting else 0
        self._started_s = time.monotonic()
        self.finished.cache.set(self._waiting is None)

    def stop(self) -> None:
        """Ends the replay."""
        self._blocks = self._waiting = None

    def read(self, timeout_s: float) -> TagBlock:
        """The next block, when its end is due.

        Raises:
            ConnectionLost: not started, at the end of the file, nothing is due within ``timeout_s``, or the file cannot be
                read any further.
        """
        if self._blocks is None:
            raise ConnectionLost(self.name, "is not playing; call start() first", "read")
        if self._waiting is None:
            raise ConnectionLost(self.name, f"{self._file} has come to its end", "read")
        wait_s = self._due_s(self._waiting) - time.monotonic()
        if wait_s > timeout_s:
            time.sleep(timeout_s)
            raise ConnectionLost(self.name, f"nothing due within {timeout_s:g} s", "read")
        time.sleep(max(0.0, wait_s))
        block, self._waiting = self._waiting, next(self._blocks, None)
        self.finished.cache.set(self._waiting is None)
        return TagBlock(block.tags, block.t_start_ps, block.t_stop_ps, self.name, block.overflow, block.missed)

    def _readable(self) -> Iterator[TagBlock]:
        """The blocks of the file; whatever goes wrong with a file is one error that names it."""
        try:
            yield from self._read(self._file).blocks
        except (ErbiaError, OSError, ValueError, KeyError, EOFError, BadZipFile, zlib.error) as error:
            raise ConnectionLost(self.name, f"cannot read {self._file}: {' '.join(str(error).split())}") from error

    def _due_s(self, block: TagBlock) -> float:
        if self._pace == 0:
            return self._started_s
        return self._started_s + (block.t_stop_ps - self._zero_ps) / PS_PER_S / self._pace
