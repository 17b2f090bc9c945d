"""From taggers to disk and to live analysis, in threads, with back-pressure and without silent loss.

The thread of the tagger calls ``put``. One thread of the recorder owns the run writer: it takes blocks from a bounded ring,
writes them, and only then hands them to the live consumers, each with a ring and a thread of its own. A full ring
makes ``put`` wait (the tagger buffers meanwhile); what finds no room even then is replaced, in the file too, by an empty
block with ``overflow`` and the number of clicks it cost, so that its time does not count. A slow consumer never holds
up the recording: it gets such marks instead of what it missed.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from ..errors import ErbiaError
from ..records import TagBlock
from ..tags import share_order
from .ring import Ring
from .runwriter import RunWriter

Consumer = Callable[[TagBlock], object]

#: Clicks the rings hold, 9 bytes each: a third of a second at 100 Mcps for the analyses, which share the blocks they wait for.
RECORD_CAPACITY = 1 << 24
CONSUMER_CAPACITY = 1 << 25


@dataclass(frozen=True, slots=True)
class ConsumerState:
    """What a live consumer saw: clicks, clicks it was too slow for, and the error that ended it ("" if none)."""

    clicks: int
    clicks_lost: int
    error: str = ""


@dataclass(frozen=True, slots=True)
class RecorderState:
    """Counts since the start. ``clicks_in == clicks_recorded + clicks_lost + clicks_waiting`` at all times."""

    clicks_in: int
    clicks_recorded: int
    clicks_lost: int
    clicks_waiting: int
    consumers: Mapping[str, ConsumerState] = field(default_factory=dict)


class Recorder:
    """Records what is ``put`` into it until ``close``; use it as a context manager.

    Args:
        writer: of the run; the recorder's thread owns it from now on, and ``close`` closes it.
        consumers: live analysis by name, each called with every block in the order of the file.
        patience_s: how long ``put`` waits for room before it gives a block up.
        capacity: clicks that may wait to be written.
    """

    def __init__(
        self,
        writer: RunWriter,
        consumers: Mapping[str, Consumer] | None = None,
        *,
        patience_s: float = 1.0,
        capacity: int = RECORD_CAPACITY,
    ) -> None:
        self._writer = writer
        self._patience_s = patience_s
        self._ring = Ring(capacity)
        self._live = {name: _Live(name, call) for name, call in (consumers or {}).items()}
        self._tasks: deque[Callable[[RunWriter], object]] = deque()
        self._counts = threading.Lock()
        self._clicks_in = self._clicks_recorded = 0
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._record, name="recorder", daemon=True)
        self._thread.start()

    def put(self, block: TagBlock) -> bool:
        """Hands over the next block of a tagger; says whether it was kept whole.

        Raises:
            ErbiaError: the recording has failed, e.g. DiskFull; everything acknowledged before is in the file.
        """
        self._raise_failure()
        with self._counts:
            self._clicks_in += len(block.tags)
        kept = self._ring.put(block, self._patience_s)
        self._raise_failure()
        return kept

    def submit(self, task: Callable[[RunWriter], object]) -> None:
        """Has ``task(writer)`` done by the recorder's thread, before the next block: heralds, readings, log lines."""
        self._raise_failure()
        self._tasks.append(task)

    def state(self) -> RecorderState:
        """What came, was written, was lost and is waiting, consumer by consumer."""
        with self._counts:
            unwritten = self._clicks_in - self._clicks_recorded
            lost = unwritten if self._error else self._ring.clicks_lost
            live = {name: consumer.state() for name, consumer in self._live.items()}
            return RecorderState(self._clicks_in, self._clicks_recorded, lost, unwritten - lost, live)

    def close(self, status: str = "done") -> RecorderState:
        """Writes what is waiting, lets the consumers finish, closes the run; returns the final counts.

        Raises:
            ErbiaError: the recording has failed; the run is closed as failed.
        """
        self._ring.close()
        self._thread.join()
        for consumer in self._live.values():
            consumer.close()
        self._writer.close("failed" if self._error else status)  # type: ignore[arg-type]
        self._raise_failure()
        return self.state()

    def __enter__(self) -> Recorder:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self.close("done" if kind is None else "failed")

    def _raise_failure(self) -> None:
        if self._error is not None:
            raise self._error

    def _record(self) -> None:
        try:
            while (block := self._ring.get()) is not None:
                self._run_tasks()
                self._writer.append_tags(block)
                share_order(block.tags)  # the writer has looked
                with self._counts:
                    self._clicks_recorded += len(block.tags)
                for consumer in self._live.values():
                    consumer.ring.put(block, 0.0)
            self._run_tasks()
            self._writer.flush()
        except (ErbiaError, OSError, RuntimeError) as error:
            self._error = error
            self._ring.close()

    def _run_tasks(self) -> None:
        while self._tasks:
            self._tasks.popleft()(self._writer)


class _Live:
    """One consumer with its ring and thread."""

    def __init__(self, name: str, call: Consumer) -> None:
        self.ring = Ring(CONSUMER_CAPACITY)
        self._call = call
        self._clicks = 0
        self._error = ""
        self._thread = threading.Thread(target=self._consume, name=f"live {name}", daemon=True)
        self._thread.start()

    def _consume(self) -> None:
        while (block := self.ring.get()) is not None:
            if self._error:
                continue
            try:
                self._call(block)
            except Exception as error:  # a consumer may fail in any way; the recording goes on and its state says so
                self._error = f"{type(error).__name__}: {error}"
            else:
                self._clicks += len(block.tags)

    def state(self) -> ConsumerState:
        return ConsumerState(self._clicks, self.ring.clicks_lost, self._error)

    def close(self) -> None:
        self.ring.close()
        self._thread.join()
