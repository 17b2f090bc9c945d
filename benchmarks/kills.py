"""Kills engines and clients at random moments of seeded runs, and looks at what is left.

Run ``python benchmarks/kills.py [KILLS]`` (200 takes about half an hour). After each kill of the engine: the file opens and holds every
row told more than a second before, the queue is whole and held, the laser that outlives the process is off, and the next
engine goes on with the same run in the same file. After each kill of a client the engine plays on.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import psutil

from erbia.analysis.files.runfile import open_run
from erbia.sequences.engine.client import EngineClient, EngineLost
from erbia.sequences.engine.queue_values import RunOrder
from erbia.sequences.replay import analyze

BOX = '''
from pathlib import Path
from qcodes.instrument import Instrument
from qcodes.validators import Bool


class Box(Instrument):
    """A laser whose state outlives every process: it lies in a file."""

    def __init__(self, name, address, **kwargs):
        super().__init__(name, **kwargs)
        path = Path(address)
        if not path.exists():
            path.write_text("False")
        self.add_parameter(
            "emission",
            vals=Bool(),
            get_cmd=lambda: path.read_text() == "True",
            set_cmd=lambda on: path.write_text(str(on)),
        )

    def get_idn(self):
        return {"vendor": "erbia", "model": "file", "serial": None, "firmware": None}
'''
CLIENT = """
import sys
from erbia.sequences.engine.client import EngineClient
client = EngineClient.connect(sys.argv[1])
print("there", flush=True)
for document in client.documents():
    pass
"""
#: A row told this long before the kill has been made durable.
_DURABLE_S = 1.0
CONFIG = {"heralds": 4000, "calibration_shots": 2000, "max_time_s": 1e6}


@dataclass
class Campaign:
    """The station, the queue's numbers as they should be, and what was found wrong."""

    station: Path
    laser: Path
    runs: Path
    rng: np.random.Generator
    waiting: tuple[int, ...] = ()
    wrong: list[str] = field(default_factory=list)
    resumed: int = 0

    def expect(self, what: str, good: bool) -> None:
        if not good:
            self.wrong.append(what)

    def engine(self) -> EngineClient:
        return EngineClient.connect_or_start(str(self.station), 1, self.runs)

    def kill_engine(self, number: int) -> None:
        """One kill at a random moment of a run, and all that must hold afterwards."""
        client = self.engine()
        client.release_queue()
        wait(lambda: client.status().run_path != "" and client.status().state == "running")
        path, pid, entry = client.status().run_path, client.status().pid, client.status().entry_id
        told = listen(client, float(self.rng.uniform(0.2, 2.5)), pid)
        killed_s = time.time()
        wait(lambda: EngineClient.connect(str(self.station)) is None)
        wait(lambda: self.laser.read_text() == "False", fail=lambda: self.expect(f"{number}: laser on", False))
        with open_run(path) as run:
            self.expect(f"{number}: status {run.status}", run.status == "interrupted")
            kept = {source: sum(len(b.tags) for b in run.iter_blocks(source)) for source in run.sources}
        heard = clicks(told, killed_s - _DURABLE_S)
        lost = {s: n - kept.get(s, 0) for s, n in heard.items() if n > kept.get(s, 0)}
        self.expect(f"{number}: told but not kept: {lost}", not lost)
        again = self.engine()
        queue = again.queue()
        self.expect(
            f"{number}: queue {[e.id for e in queue.entries]}", tuple(e.id for e in queue.entries) == self.waiting
        )
        self.expect(f"{number}: queue not held", "ended while it played" in queue.held)
        self.expect(
            f"{number}: not resumable", queue.entries[0].order.resume_path == path and queue.entries[0].id == entry
        )
        again.release_queue()
        wait(lambda: again.status().run_path == path)
        self.resumed += 1
        again.close()

    def kill_client(self, number: int) -> None:
        """The engine does not notice that a client is gone."""
        client = self.engine()
        client.release_queue()
        wait(lambda: client.status().run_path != "")
        pid, path = client.status().pid, client.status().run_path
        with subprocess.Popen([sys.executable, "-c", CLIENT, str(self.station)], stdout=subprocess.PIPE) as victim:
            assert victim.stdout is not None
            victim.stdout.readline()
            time.sleep(float(self.rng.uniform(0.0, 0.5)))
            victim.kill()
        before = client.status()
        wait(lambda: client.status().next_index > before.next_index)
        self.expect(f"{number}: engine noticed", client.status().pid == pid and client.status().run_path == path)
        client.close()

    def finish(self) -> None:
        """The run that was cut so often is stopped, and analysed from its file."""
        client = self.engine()
        process = psutil.Process(client.status().pid)
        path = client.status().run_path
        client.hold_queue("campaign over")
        client.stop("now")
        wait(lambda: client.status().state == "idle")
        client.shutdown()
        psutil.wait_procs([process], timeout=60)
        with open_run(path) as run:
            heralds = run.heralds()["t_ps"]
            self.expect("heralds twice", len(np.unique(heralds)) == len(heralds))
            self.expect("blocks of the sources differ in number", len({len(run.blocks(s)) for s in run.sources}) == 1)
            counts = analyze(run).counts
        sys.stdout.write(
            f"one run, cut {self.resumed} times: {len(heralds)} heralds, {json.dumps(counts['heralds'])}\n"
        )


def listen(client: EngineClient, duration_s: float, pid: int) -> list[tuple[float, dict[str, object]]]:
    """Documents with the time they were told, until ``duration_s`` after the first, when the engine is killed."""
    told: list[tuple[float, dict[str, object]]] = []
    try:
        begun = None
        for document in client.documents():
            told.append((document.utc_s, document.content))
            begun = begun or time.monotonic()
            if time.monotonic() - begun > duration_s:
                os.kill(pid, signal.SIGKILL)
                duration_s = float("inf")
    except EngineLost:
        pass
    client.close()
    return told


def clicks(told: list[tuple[float, dict[str, object]]], until_s: float) -> dict[str, int]:
    """Clicks told of before a time, by source."""
    heard: dict[str, int] = {}
    for utc_s, content in told:
        if content["type"] == "Tags" and utc_s < until_s:
            source = str(content["source"])
            heard[source] = heard.get(source, 0) + int(content["n"])  # type: ignore[call-overload]
    return heard


def wait(condition: Callable[[], bool], fail: Callable[[], None] | None = None, limit_s: float = 120.0) -> None:
    """Until it is so; after the limit ``fail`` is called, or the campaign ends."""
    deadline = time.monotonic() + limit_s
    while not condition():
        if time.monotonic() > deadline:
            if fail is None:
                raise SystemExit("waited too long")
            return fail()
        time.sleep(0.02)
    return None


def play(kills: int, folder: Path) -> Campaign:
    """The whole campaign in a folder: every second kill is of a client."""
    (folder / "filebox.py").write_text(BOX, encoding="utf-8")
    os.environ["PYTHONPATH"], os.environ["XDG_RUNTIME_DIR"] = str(folder), str(folder)
    shipped = Path(__file__).resolve().parents[1] / "configs" / "stations" / "mock_lab.yaml"
    box = f"instruments:\n  box: {{type: filebox.Box, address: {folder / 'laser'}}}"
    station = folder / "kills.yaml"
    station.write_text(shipped.read_text(encoding="utf-8").replace("instruments:", box, 1), encoding="utf-8")
    campaign = Campaign(station, folder / "laser", folder / "runs", np.random.default_rng(kills))
    client = campaign.engine()
    client.hold_queue("setting up")
    orders = [RunOrder.of("heralded_entanglement", CONFIG, {"box.emission": True}) for _ in range(5)]
    campaign.waiting = tuple(entry.id for entry in map(client.submit, orders) if not isinstance(entry, list))
    client.close()
    for number in range(kills):
        (campaign.kill_client if number % 2 else campaign.kill_engine)(number)
        if number % 10 == 9:
            sys.stdout.write(f"{number + 1} kills, {len(campaign.wrong)} wrong\n")
            sys.stdout.flush()
    campaign.finish()
    return campaign


def main() -> int:
    kills = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    with tempfile.TemporaryDirectory() as name:
        campaign = play(kills, Path(name))
    sys.stdout.write("\n".join([*campaign.wrong, f"{kills} kills, {len(campaign.wrong)} wrong (demand 0)"]) + "\n")
    return int(bool(campaign.wrong))


if __name__ == "__main__":
    sys.exit(main())
