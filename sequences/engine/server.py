"""The engine process: opens the lab, serves it on loopback, and leaves when nobody needs it any more."""

from __future__ import annotations

import logging
import secrets
import signal
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from ..experiments.registry import experiments
from ..lab import Lab, load_station
from .access import TlsFiles
from .archive import Archive
from .endpoint import remove_endpoint, runtime_folder, write_endpoint
from .poller import Poller
from .service import Service, serving, serving_network
from .spool import Spool
from .supervisor import Supervisor

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Listen:
    """Where else than on this machine an engine serves, by mutual TLS; ``operators`` are common names of certificates."""

    address: str
    tls: TlsFiles
    operators: frozenset[str]


class SpoolHandler(logging.Handler):
    """Lines of the engine's log become documents the clients see."""

    def __init__(self, spool: Spool) -> None:
        super().__init__(logging.INFO)
        self._spool = spool

    def emit(self, record: logging.LogRecord) -> None:
        self._spool.append({"type": "Log", "level": record.levelname, "text": record.getMessage()})


def serve(
    station: str,
    seed: int | None,
    out_dir: Path,
    idle_limit_s: float,
    pace: float | None = None,
    network: Listen | None = None,
    ready: Callable[[str], object] = lambda address: None,
) -> None:
    """Runs the engine of a station until it is shut down, or idle for ``idle_limit_s`` with no client.

    ``pace`` is lab seconds a second of a simulated lab whose station file leaves it free; ``ready`` is called with the
    address on this machine once the engine answers there.

    Raises:
        UsageError: the station is wrong or already owned by another engine, or a certificate cannot be read.
        InstrumentError: an instrument cannot be opened.
    """
    out_dir.mkdir(parents=True, exist_ok=True)
    lab = load_station(station, seed)
    world = lab.loaded.world
    if pace is not None and world is not None and world.pace == "free":
        world.pace = pace
    serve_lab(lab, station, seed, out_dir, idle_limit_s, network, ready)


def serve_lab(
    lab: Lab,
    station: str,
    seed: int | None,
    out_dir: Path,
    idle_limit_s: float,
    network: Listen | None = None,
    ready: Callable[[str], object] = lambda address: None,
) -> None:
    """The engine over a lab that is already open; closes the lab at the end."""
    spool = Spool(runtime_folder() / f"documents-{secrets.token_hex(8)}.jsonl")
    handler = SpoolHandler(spool)
    logging.getLogger("erbia").addHandler(handler)
    supervisor = Supervisor(lab, station, seed, experiments(), spool, out_dir)
    archive = Archive(out_dir)
    service = Service(supervisor, spool, archive)
    poller = Poller(lab.station, supervisor.health, lambda: service.streams > 0)
    signal.signal(signal.SIGTERM, lambda *_: service.ended.set())
    try:
        with ExitStack() as served:
            address, token = served.enter_context(serving(service))
            if network is not None:
                where = serving_network(service, network.address, network.tls, network.operators)
                log.info("serving %s by mutual TLS", served.enter_context(where))
            write_endpoint(station, address, token)
            ready(address)
            poller.start()
            while not service.ended.wait(0.5) and service.idle_s() < idle_limit_s:
                supervisor.guard()
    finally:
        remove_endpoint(station)
        poller.close()
        supervisor.close()
        logging.getLogger("erbia").removeHandler(handler)
        archive.close()
        spool.close()
