"""The one seam between Qt and the engine: threads talk to the engine, one timer hands on to the window what came.

Nothing here waits in the window's thread, and nothing outside the window's thread touches a widget.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from typing import Any, TypeVar

from PySide6.QtCore import QObject, QTimer, Signal

from ..analysis.errors import ErbiaError
from ..sequences.engine.client import EngineClient, EngineLost
from .garbage import collect_if_due, stop_collecting_anywhere

T = TypeVar("T")
Note = Callable[[], None]

#: One timer draws the whole window.
FRAME_MS = 50
#: A simulated lab to be watched runs this many times faster than a real one.
MOCK_PACE = 60.0
_POLL_S = 0.5
_CALIBRATIONS_EVERY = 4  # polls
_MAX_DOCUMENTS_PER_FRAME = 2000


class EngineBridge(QObject):
    """A connection to a station's engine as Qt signals, all sent from the window's thread."""

    opened = Signal(object)  # list[ExperimentInfo]: the engine answers, the form can be made
    status = Signal(object)  # EngineStatus, twice a second
    snapshot = Signal(object)  # StationState, twice a second
    queue = Signal(object)  # QueueState, twice a second
    calibrations = Signal(object)  # tuple[CalibrationStatus, ...], now and then
    documents = Signal(object)  # list[DocumentMessage], in order, none missing
    recorded = Signal(object)  # list[DocumentMessage] of the recorded run asked for last
    lost = Signal(str)  # the engine does not answer; the bridge keeps trying
    failed = Signal(str)  # the station cannot be opened
    frame = Signal()  # draw now what has changed

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        stop_collecting_anywhere()
        self._inbox: SimpleQueue[Note] = SimpleQueue()
        self._pool = ThreadPoolExecutor(4, "engine-call")
        self._closed = threading.Event()
        self._playing = threading.Event()
        self._client: EngineClient | None = None
        self._ended = False
        self._timer = QTimer(self, interval=FRAME_MS)
        self._timer.timeout.connect(self._hand_on)
        self._timer.start()

    def open(self, station: str, seed: int | None, out_dir: Path) -> None:
        """Connects to the station's engine, starting it when none runs. Answers by ``opened`` or ``failed``."""
        self._leave()
        closed = self._closed = threading.Event()
        threading.Thread(target=self._serve, args=(station, seed, out_dir, closed), daemon=True).start()

    def close(self) -> None:
        """Leaves the engine, which goes on without us."""
        self._timer.stop()
        self._ended = True
        self._leave()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def call(
        self,
        work: Callable[[EngineClient], T],
        then: Callable[[T], None] = lambda _: None,
        refused: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Does ``work`` with the engine in another thread, then ``then(answer)`` or ``refused(one line)`` in this one."""
        client = self._client
        if client is None:
            refused("no engine yet: choose a station first")
            return
        self.work(lambda: work(client), then, refused)

    def work(
        self,
        work: Callable[[], T],
        then: Callable[[T], None] = lambda _: None,
        refused: Callable[[str], None] = lambda _: None,
    ) -> None:
        """The same for work that needs no engine."""
        if not self._ended:
            self._pool.submit(self._do, work, then, refused)

    def play(self, run_id: str, pace: float, refused: Callable[[str], None]) -> None:
        """Has a recorded run told again, by ``recorded``; one that is still being told is broken off."""
        self.stop_playing()
        ended = self._playing = threading.Event()

        def tell(client: EngineClient) -> None:
            for document in client.recorded(run_id, pace):
                if ended.is_set():
                    return
                self._post(ended, self.recorded, [document])

        self.call(tell, refused=refused)

    def stop_playing(self) -> None:
        """Breaks off a recorded run."""
        self._playing.set()

    def _do(self, work: Callable[[], T], then: Callable[[T], None], refused: Callable[[str], None]) -> None:
        try:
            answer = work()
        except ErbiaError as error:
            words = str(error)
            self._inbox.put(lambda: refused(words))
        else:
            self._inbox.put(lambda: then(answer))

    def _leave(self) -> None:
        self._playing.set()
        self._closed.set()
        self._client = None

    def _hand_on(self) -> None:
        for _ in range(_MAX_DOCUMENTS_PER_FRAME):
            if self._inbox.empty():
                break
            self._inbox.get()()
        self.frame.emit()
        collect_if_due()

    def _serve(self, station: str, seed: int | None, out_dir: Path, closed: threading.Event) -> None:
        """Keeps a connection alive until closed; runs in its own thread."""
        try:
            client = EngineClient.connect_or_start(station, seed, out_dir, MOCK_PACE)
        except (ErbiaError, OSError) as error:
            self._post(closed, self.failed, str(error))
            return
        while not closed.is_set():
            self._attend(client, closed)
            client.close()
            found = None
            while found is None and not closed.wait(_POLL_S):
                found = EngineClient.connect(station)
            if found is not None:
                client = found

    def _attend(self, client: EngineClient, closed: threading.Event) -> None:
        """Polls status and tree, with a second thread following the documents, until the engine is lost."""
        try:
            self._inbox.put(lambda: self._adopt(client, closed))
            self._post(closed, self.opened, client.experiments())
            threading.Thread(target=self._follow, args=(client, closed), daemon=True).start()
            for poll in itertools.count():
                if closed.is_set():
                    return
                self._post(closed, self.status, client.status())
                self._post(closed, self.snapshot, client.snapshot())
                self._post(closed, self.queue, client.queue(finished=True))
                if poll % _CALIBRATIONS_EVERY == 0:
                    self._post(closed, self.calibrations, client.calibrations())
                closed.wait(_POLL_S)
        except ErbiaError as error:
            self._post(closed, self.lost, str(error))

    def _adopt(self, client: EngineClient, closed: threading.Event) -> None:
        if not closed.is_set():
            self._client = client

    def _follow(self, client: EngineClient, closed: threading.Event) -> None:
        try:
            for document in client.documents():
                if closed.is_set():
                    return
                self._post(closed, self.documents, [document])
        except EngineLost:
            return  # the poller notices too, and says so

    def _post(self, closed: threading.Event, signal: Any, value: object) -> None:
        self._inbox.put(lambda: None if closed.is_set() else signal.emit(value))
