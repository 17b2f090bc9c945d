"""Kills engines, their watchdogs and clients at random moments of runs on emulated instruments, and looks at what is left.

Run ``python benchmarks/kills.py [KILLS]`` (200 takes about half an hour, on several labs side by side). The instruments of ``wire_lab`` live in a process that
nobody kills and are asked on connections of this script's own: they, not the engine, say whether laser and pulses are off.

After a kill of the engine: the instruments are off, the file opens and holds every row told more than a second before, the
queue is whole and held, the next engine goes on with the same run in the same file. In every tenth of these the watchdog is
killed too, as by a power cut; then the next engine must find and make the lab safe. After a kill of a client the engine plays
on, and what it had acknowledged is queued. At the end every run must be done with each of its settings once, in order.
"""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback
import urllib.request
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import astuple, dataclass, field, replace
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from erbia.analysis.errors import UsageError
from erbia.analysis.files.runfile import Run, open_run
from erbia.analysis.records import Estimate
from erbia.sequences.engine.client import EngineClient, EngineLost
from erbia.sequences.engine.queue_values import QueueEntry, RunOrder
from erbia.sequences.experiments.base import Action
from erbia.sequences.experiments.scan import ScanExperiment
from erbia.sequences.replay import Refold, analyze, experiment_of
from erbia.sequences.scan import Search, Told

WATCHER = """
import sys
from erbia.sequences.engine.client import EngineClient
client = EngineClient.connect(sys.argv[1])
print("there", flush=True)
for document in client.documents():
    pass
"""
SUBMITTER = """
import sys
from erbia.sequences.engine.client import EngineClient
from erbia.sequences.engine.queue_values import RunOrder
client = EngineClient.connect(sys.argv[1])
while True:
    print(client.submit(RunOrder.of("timing_jitter", {}, batch="submitter", priority=-1)).id, flush=True)
"""
LABS = 3
#: A row told this long before the kill has been made durable.
_DURABLE_S = 1.0
_BIAS = {"parameter": "snspd.ch3.bias", "unit": "A", "start": 14e-6, "stop": 18e-6, "points": 8}
_SCAN = {"measure": ["alice.photon"], "dwell_s": 0.25, "parameters": {"laser.emission": True}, "play": "alice_readout"}
_GOLDEN = {"method": "golden_section", "parameter": "snspd.ch3.bias", "low": 12e-6, "high": 19e-6, "tolerance": 0.8e-6}
ORDERS = (
    RunOrder.of("heralded_entanglement", {"heralds": 10, "calibration_shots": 300, "max_time_s": 1e6}),
    RunOrder.of("scan", {**_SCAN, "points": {"axes": [_BIAS], "order": "shuffled", "seed": 5}}),
    RunOrder.of("scan", {**_SCAN, "points": _GOLDEN}),
)


class Hardware:
    """The emulated laser and pulser, asked in their own language behind the engine's back."""

    def __init__(self, station: Path) -> None:
        text = station.read_text(encoding="utf-8")
        self._laser = _address(text, "laser").split(":")[0], 1998
        self._pulser = f"http://{_address(text, 'pulser')}:8050/json-rpc"

    def emits(self) -> bool:
        """Whether the laser's current is on."""
        with socket.create_connection(self._laser, 5.0) as line:
            line.sendall(b"(param-ref 'laser1:dl:cc:enabled)\n")
            heard = b""
            while b"#" not in heard:
                heard += line.recv(256)
        return b"#t" in heard

    def plays(self) -> bool:
        """Whether a sequence is streaming."""
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "isStreaming", "params": []}).encode()
        request = urllib.request.Request(self._pulser, body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=5.0) as reply:
            return bool(json.load(reply)["result"])

    def safe(self) -> bool:
        return not self.emits() and not self.plays()


def _address(text: str, instrument: str) -> str:
    found = re.search(rf"^  {instrument}:.*?address: (\S+)", text, re.DOTALL | re.MULTILINE)
    assert found is not None
    return found[1]


@dataclass
class Campaign:
    """The emulated lab, what happened, and what was found wrong.

    Attributes:
        kept: rows in each run file after its last kill, by source.
        failed: entries that failed without a kill.
        off_after_s: from each kill of an engine alone until the instruments were off.
    """

    station: Path
    runs: Path
    rng: np.random.Generator
    hardware: Hardware
    wrong: list[str] = field(default_factory=list)
    seen: Counter[str] = field(default_factory=Counter)
    kept: dict[str, dict[str, int]] = field(default_factory=dict)
    off_after_s: list[float] = field(default_factory=list)
    failed: set[int] = field(default_factory=set)
    orders: Any = field(default_factory=lambda: cycle(ORDERS))

    def expect(self, what: str, good: bool) -> None:
        if not good:
            self.wrong.append(what)
            say(f"wrong: {what}")

    def engine(self) -> EngineClient:
        """The station's engine; started again where an emulator was too slow for its driver on a busy machine."""
        for _ in range(5):
            try:
                return EngineClient.connect_or_start(str(self.station), None, self.runs)
            except (UsageError, EngineLost) as error:
                self.seen[f"engine did not start: {error}"] += 1
        raise TimeoutError("the engine does not start")

    def playing(self) -> EngineClient:
        """An engine with a run under way and more in its queue."""
        client = self.engine()
        if len(client.queue().entries) < 3:
            for order in islice(self.orders, 3):
                assert isinstance(client.submit(order), QueueEntry)
        client.release_queue()
        wait(lambda: self.plays(client))
        return client

    def plays(self, client: EngineClient) -> bool:
        """Whether a run is under way; one that failed because an emulator was too slow for its driver is gone on with."""
        for entry in client.queue(finished=True).entries:
            if entry.state == "failed" and entry.id not in self.failed:
                self.failed.add(entry.id)
                self.seen[f"run failed: {entry.reason}"] += 1
                assert isinstance(client.submit(replace(entry.order, resume_path=entry.run_path)), QueueEntry)
                client.release_queue()
        return client.status().run_path != "" and client.status().state == "running"

    def kill(self, number: int) -> None:
        """Engines and clients in turn, now and then a watchdog as well."""
        if number % 2:
            self.kill_client(number, SUBMITTER if number % 4 == 1 else WATCHER)
        else:
            self.kill_engine(number, watchdog_too=number % 20 == 10)
        if number % 20 == 19:
            self.kill_watchdog(number)

    def kill_engine(self, number: int, watchdog_too: bool) -> None:
        """One kill at a random moment of a run, and all that must hold afterwards."""
        client = self.playing()
        before = [entry.id for entry in client.queue().entries]
        engine = psutil.Process(client.status().pid)
        victims = [*(watchdogs(engine) if watchdog_too else []), engine]
        told = listen(client, float(self.rng.uniform(0.1, 3.0)), victims)
        killed_s, path = time.time(), run_of(told)
        self.seen["engine killed while the laser was on"] += self.hardware.emits()
        if watchdog_too:
            self.seen["watchdog killed with it"] += 1
        elif number % 4 == 0:
            wait(self.hardware.safe, fail=lambda: self.expect(f"{number}: lab not safe", False))
            self.off_after_s.append(time.time() - killed_s)
        again = self.engine()
        self.expect(f"{number}: lab not safe with the next engine", self.hardware.safe())
        queue = again.queue()
        finished = {e.id for e in again.queue(finished=True).entries if e.state in ("done", "failed")}
        after = [entry.id for entry in queue.entries]
        self.expect(f"{number}: queue {before} became {after}", [i for i in before if i not in finished] == after)
        self.expect(f"{number}: queue not held", queue.held != "")
        self.check_rows(number, path, told, killed_s)
        if queue.entries and queue.entries[0].order.resume_path:
            self.seen["runs gone on with"] += 1
            again.release_queue()
            wait(lambda: self.plays(again) and status_of(path) in ("running", "done"))
        again.close()

    def check_rows(self, number: int, path: str, told: list[Any], killed_s: float) -> None:
        with open_run(path) as run:
            kept = {source: int(sum(len(b.tags) for b in run.iter_blocks(source))) for source in run.sources}
        heard, earlier = clicks(told, path, killed_s - _DURABLE_S), self.kept.get(path, {})
        lost = {s: n for s, n in heard.items() if n + earlier.get(s, 0) > kept.get(s, 0)}
        self.expect(f"{number}: told but not kept: {lost} of {kept}", not lost)
        self.kept[path] = kept
        self.seen["rows told and kept"] += sum(heard.values())

    def kill_client(self, number: int, script: str) -> None:
        """The engine does not notice that a client is gone, and keeps what it acknowledged."""
        client = self.playing()
        pid = client.status().pid
        with subprocess.Popen([sys.executable, "-c", script, str(self.station)], stdout=subprocess.PIPE) as victim:
            assert victim.stdout is not None
            first = victim.stdout.readline()
            time.sleep(float(self.rng.uniform(0.0, 0.5)))
            victim.kill()
            acknowledged = [int(line) for line in (first + victim.stdout.read()).split() if line.isdigit()]
        before = client.status()
        wait(lambda: client.status().next_index > before.next_index or client.status().state == "idle")
        self.expect(f"{number}: engine noticed", client.status().pid == pid)
        queued = [entry.id for entry in client.queue(batch="submitter").entries]
        self.expect(
            f"{number}: {acknowledged} acknowledged, {queued} queued", queued[: len(acknowledged)] == acknowledged
        )
        self.expect(f"{number}: more queued than sent", len(queued) <= len(acknowledged) + 1)
        self.seen["entries acknowledged and queued"] += len(acknowledged)
        if queued:
            client.cancel(batch="submitter")
        client.close()

    def kill_watchdog(self, number: int) -> None:
        """The engine gets another one."""
        client = self.playing()
        engine = psutil.Process(client.status().pid)
        wait(lambda: len(watchdogs(engine)) == 1)
        (dog,) = watchdogs(engine)
        dog.kill()
        wait(lambda: [d.pid for d in watchdogs(engine)] not in ([], [dog.pid]))
        self.seen["watchdog killed alone and replaced"] += 1
        self.expect(f"{number}: engine noticed", client.status().pid == engine.pid)
        client.close()

    def finish(self) -> None:
        """The queue is played to its end, and every run looked at."""
        client = self.engine()
        client.release_queue()
        wait(lambda: not self.plays(client) and not client.queue().entries, limit_s=300.0)
        engine = psutil.Process(client.status().pid)
        client.shutdown()
        psutil.wait_procs([engine], timeout=60)
        self.expect("lab not safe at the end", self.hardware.safe())
        for path in sorted(self.runs.glob("*.h5")):
            with open_run(path) as run:
                for problem in problems_of(run):
                    self.expect(f"{path.name}: {problem}", False)
                self.seen["runs done, each setting once"] += 1
                self.seen["settings"] += len(run.settings())
                self.seen["heralds, none twice"] += len(run.heralds())


def problems_of(run: Run) -> list[str]:
    """What is not as in a run that was never cut."""
    rows, experiment = run.settings(), experiment_of(run)
    names, again = (
        [name.decode() if isinstance(name, bytes) else name for name in rows["name"]],
        Refold(experiment, run),
    )
    values = [json.loads(text)["parameters"] for text in rows["parameters"]]
    planned = [setting.name for setting in experiment.build().settings]
    found = {
        f"status {run.status}": run.status == "done",
        f"settings {list(rows['index'])}": list(rows["index"]) == list(range(len(rows))),
        "settings overlap": bool(np.all(rows["t_start_ps"][1:] >= rows["t_stop_ps"][:-1])),
        f"settings {names}, not {planned}": names[: len(planned)] == planned,
        "data ask for more": again.action is Action.CONTINUE or experiment.name != "scan",
        "heralds twice": len(np.unique(run.heralds()["t_ps"])) == len(run.heralds()),
        "blocks of the sources differ in number": len({len(run.blocks(s)) for s in run.sources}) == 1,
        "another answer from the file": _same(run.results, analyze(run).estimates),
    }  # fmt: skip
    if isinstance(experiment, ScanExperiment):
        found |= _scanned(experiment, again, [v["snspd.ch3.bias"] for v in values])
    return [what for what, good in found.items() if not good]


def _same(kept: Mapping[str, Estimate], again: Mapping[str, Estimate]) -> bool:
    """Whether the same names have the same numbers, to the last bit; what is not a number in both (no interval claimed) is the same."""
    if kept.keys() != again.keys():
        return False
    pairs = (pair for name in kept for pair in zip(astuple(kept[name]), astuple(again[name]), strict=True))
    return all(a == b or (a != a and b != b) for a, b in pairs)


def _scanned(experiment: ScanExperiment, again: Refold, visited: list[float]) -> dict[str, bool]:
    visits, points = again.state.visits, experiment.config.points
    long = [v.dwelt_ps(("alice",)) / 1e12 for v in visits]
    found = {f"dwelt {long} s": min(long) >= experiment.config.dwell_s and all(v.closed for v in visits)}
    if not isinstance(points, Search):
        wanted = [point.values["snspd.ch3.bias"] for point in points.points()]
        return found | {f"visited {visited}, not {wanted}": visited == wanted}
    told = [Told(v.values, experiment.value(v, "alice.photon")) for v in visits]
    asked = [points.ask(told[:k]) for k in range(len(told) + 1)]
    wanted = [point["snspd.ch3.bias"] for point in asked if point is not None]
    return found | {f"search visited {visited}, not {wanted}": visited == wanted and asked[-1] is None}


def status_of(path: str) -> str:
    with open_run(path) as run:
        return run.status


def watchdogs(engine: psutil.Process) -> list[psutil.Process]:
    """Those of an engine that are alive."""
    found = []
    for child in engine.children():
        with suppress(psutil.NoSuchProcess):
            if any("watchdog" in part for part in child.cmdline()):
                found.append(child)
    return found


def listen(client: EngineClient, duration_s: float, victims: list[psutil.Process]) -> list[Any]:
    """Documents with the time they were told, until ``duration_s`` after the first, when the victims are killed."""
    told: list[Any] = []
    death = threading.Timer(duration_s, kill, [victims])
    try:
        for document in client.documents():
            if not told:
                death.start()
            told.append(document)
    except EngineLost:
        pass
    death.join()
    client.close()
    return told


def kill(victims: list[psutil.Process]) -> None:
    """All at once: the last one is kept from replacing the others."""
    os.kill(victims[-1].pid, signal.SIGSTOP)
    for victim in victims:
        victim.kill()
    psutil.wait_procs(victims, timeout=10)


def run_of(told: list[Any]) -> str:
    return str([d.content["path"] for d in told if d.content["type"] == "RunStart"][-1])


def clicks(told: list[Any], path: str, until_s: float) -> dict[str, int]:
    """Clicks told of one run before a time, by source."""
    heard: Counter[str] = Counter()
    current = ""
    for document in told:
        content = document.content
        if content["type"] == "RunStart":
            current = content["path"]
        elif content["type"] == "Tags" and current == path and document.utc_s < until_s:
            heard[content["source"]] += content["n"]
    return heard


def wait(condition: Callable[[], bool], fail: Callable[[], None] | None = None, limit_s: float = 120.0) -> None:
    """Until it is so; after the limit ``fail`` is called, or TimeoutError is raised."""
    deadline = time.monotonic() + limit_s
    while not condition():
        if time.monotonic() > deadline:
            if fail is None:
                raise TimeoutError("waited too long")
            return fail()
        time.sleep(0.02)
    return None


def play(kills: int, folder: Path, lab: int = 0) -> Campaign:
    """The whole campaign on one emulated lab, in a folder: every second kill is of a client."""
    number = os.getpid() % 8_000 + 8_000 * lab
    at = f"127.{100 + number // 250}.{1 + number % 250}"
    station, endpoints = folder / f"lab{lab}.yaml", folder / f"endpoints{lab}.json"
    command = [sys.executable, "-m", "erbia", "emulate", "wire_lab", "--at", at, "--copy", str(station)]
    with subprocess.Popen([*command, "--endpoints", str(endpoints)], stdout=subprocess.DEVNULL) as emulators:
        try:
            wait(endpoints.exists)
            campaign = Campaign(station, folder / f"runs{lab}", np.random.default_rng((kills, lab)), Hardware(station))
            for number in range(kills):
                try:
                    campaign.kill(number)
                except Exception as error:
                    traceback.print_exc()
                    campaign.expect(f"{number}: {type(error).__name__}: {error}", False)
                if number % 10 == 9:
                    say(f"lab {lab}: {number + 1} kills, {len(campaign.wrong)} wrong")
            campaign.finish()
        finally:
            emulators.terminate()
    return campaign


def say(words: str) -> None:
    sys.stdout.write(f"{words}\n")
    sys.stdout.flush()


def main() -> int:
    kills = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    shares = [kills * (lab + 1) // LABS - kills * lab // LABS for lab in range(LABS)]
    with tempfile.TemporaryDirectory() as name, ThreadPoolExecutor(LABS) as pool:
        os.environ["XDG_RUNTIME_DIR"] = name
        campaigns = list(pool.map(play, shares, [Path(name)] * LABS, range(LABS)))
    for what, number in sum((c.seen for c in campaigns), Counter[str]()).items():
        say(f"{what}: {number}")
    off = [s for c in campaigns for s in c.off_after_s]
    say(f"instruments off after a kill: median {np.median(off):.2f} s, longest {max(off):.2f} s of {len(off)}")
    wrong = [what for c in campaigns for what in c.wrong]
    say("\n".join([*wrong, f"{kills} kills, {len(wrong)} wrong (demand 0); load {os.getloadavg()[0]:.0f}"]))
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
