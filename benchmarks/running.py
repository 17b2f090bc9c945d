"""What running costs: the runner against a bare loop, thousands of settings, memory of a long run, the engine, the queue.

Run ``python benchmarks/running.py``. Each line says which demand it stands against; processor seconds are those of this
process, so that a busy machine does not blur them.
"""

from __future__ import annotations

import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from qcodes.instrument import Instrument

from erbia.analysis.files.runfile import RunWriter
from erbia.analysis.records import PS_PER_S, Estimate, TagBlock, TimeTags
from erbia.sequences.budget import make_budget, raise_refused
from erbia.sequences.budget_facts import facts_of
from erbia.sequences.documents import Result
from erbia.sequences.engine.client import EngineClient
from erbia.sequences.engine.condense import Condenser
from erbia.sequences.engine.queue import RunQueue
from erbia.sequences.engine.queue_values import RunOrder, entry_to_wire, queue_from_wire, wire
from erbia.sequences.experiments.base import Action, Experiment, ExperimentConfig, Plan, Setting, Standing
from erbia.sequences.lab import load_station
from erbia.sequences.pulses import Pulse
from erbia.sequences.sequence import Block, Sequence

STATION = """
instruments:
  tagger: {type: __main__.ReadyTagger}
  pulser: {type: __main__.IdlePulser}
nodes:
  midpoint: {tagger: tagger}
channels:
  tagger:
    0: {name: sync}
    1: {name: detector_a}
    2: {name: detector_b}
"""
TAGS_PER_S, BLOCK_S = 20_000_000, 0.02


class Named(Instrument):  # type: ignore[misc]
    """Knows who it is without being asked."""

    def get_idn(self) -> dict[str, str | None]:
        return dict.fromkeys(("vendor", "model", "serial", "firmware"), "benchmark")


class ReadyTagger(Named):
    """Hands out blocks that lie ready, over and over, later each time."""

    blocks: tuple[TagBlock, ...] = ()

    def start(self) -> None:
        self._next = 0

    def stop(self) -> None:
        pass

    def read(self, timeout_s: float) -> TagBlock:
        self._next += 1
        return self.blocks[self._next - 1]


class IdlePulser(Named):
    """Takes every table."""

    sample_ps = 1000

    def __init__(self, name: str, **kwargs: Any) -> None:
        super().__init__(name, **kwargs)
        self.add_parameter("running", get_cmd=lambda: False)

    def load(self, table: Any) -> None:
        pass

    def arm(self) -> None:
        pass

    def start(self) -> None:
        pass

    def stop(self) -> None:
        pass


class CountConfig(ExperimentConfig):
    """``settings`` of ``blocks`` each."""

    settings: int = 1
    blocks: int = 1


@dataclass
class Counted:
    """Blocks and clicks so far."""

    blocks: int = 0
    clicks: int = 0


class Count(Experiment[CountConfig, Counted]):
    """The least an experiment can do."""

    name, title, Config = "count", "Count", CountConfig

    def build(self) -> Plan:
        blink = Sequence("blink", Block(0), Block(1_000_000, (Pulse("gate", 0, 100_000),)), 7)
        settings = tuple(Setting(f"{k}", blink) for k in range(self.config.settings))
        return Plan(settings, ("midpoint",))

    def begin(self) -> Counted:
        return Counted()

    def step(self, state: Counted, setting: int, block: TagBlock) -> tuple[Counted, Action]:
        state.blocks += 1
        state.clicks += len(block.tags)
        enough = state.blocks % (self.config.blocks + 1) == self.config.blocks
        return state, Action.NEXT_SETTING if enough else Action.CONTINUE

    def result(self, state: Counted) -> Result:
        return Result({"clicks": Estimate(state.clicks, state.clicks, state.clicks, 0.95, 0.0, state.blocks, "count")})

    def standing(self, state: Counted) -> Standing:
        return Standing(0.5)


def make_blocks(number: int, tags: int) -> tuple[TagBlock, ...]:
    """Blocks of random clicks, one after the other."""
    rng = np.random.default_rng(1)
    length_ps = round(BLOCK_S * PS_PER_S)
    made = []
    for k in range(number):
        t_ps = np.sort(rng.integers(0, length_ps, tags)) + k * length_ps
        channel = rng.integers(0, 3, tags).astype(np.uint8)
        made.append(TagBlock(TimeTags(t_ps, channel), k * length_ps, (k + 1) * length_ps, "midpoint"))
    return tuple(made)


def overhead(folder: Path) -> None:
    """The same blocks read and recorded by the runner, and by a loop of two lines; what a run of one block costs is not counted."""
    number = round(1.0 / BLOCK_S)
    ReadyTagger.blocks = make_blocks(number + 2, round(TAGS_PER_S * BLOCK_S))
    looker = Condenser(lambda message: None)
    with load_station(folder / "ready.yaml") as lab:

        def run_of(blocks: int, *subscribers: Any) -> None:
            lab.run(Count(CountConfig(blocks=blocks)), out_dir=folder, subscribers=subscribers)

        def bare_of(blocks: int) -> None:
            bare_loop(lab, folder / f"{time.monotonic_ns()}.h5", blocks)

        rows = [
            [
                cost(bare_of, number + 1) - cost(bare_of, 1),
                cost(run_of, number) - cost(run_of, 1),
                cost(run_of, number, looker) - cost(run_of, 1, looker),
            ]
            for _ in range(7)
        ]
    bare_s, run_s, watched_s = (float(np.median(column)) for column in zip(*rows, strict=True))
    told = f"{TAGS_PER_S / 1e6:.0f} M clicks: loop {bare_s:.3f} s, runner {run_s:.3f} s, watched {watched_s:.3f} s (processor)"
    say("runner on top of a loop at 20 Mtags/s, of its time", 100 * (run_s - bare_s), "%", "< 5", told)
    say("the same with a client that watches", 100 * (watched_s - bare_s), "%", "< 5", "")
    say("runner against an unpaced loop", 100 * (run_s / bare_s - 1), "%", "", "")


def cost(work: Callable[..., object], *arguments: object) -> float:
    """Processor seconds of this process."""
    begun = time.process_time()
    work(*arguments)
    return time.process_time() - begun


def bare_loop(lab: Any, path: Path, blocks: int) -> None:
    """Reads and records, and nothing else."""
    texts = dict.fromkeys(("station_yaml", "experiment_yaml", "resolved_json"), "")
    sources = {"midpoint": {0: "sync", 1: "detector_a", 2: "detector_b"}}
    writer = RunWriter.create(
        path,
        run_id=path.stem,
        experiment="bare",
        simulated=False,
        operator="",
        sources=sources,
        config=texts,
        provenance={},
    )
    lab.station.tagger.start()
    for _ in range(blocks):
        writer.append_tags(lab.station.tagger.read(1.0))
    writer.close()


def many_settings(folder: Path) -> None:
    """Ten thousand settings, each with its pulses: planned and checked, then played without a click."""
    ReadyTagger.blocks = make_blocks(20_001, 0)
    experiment = Count(CountConfig(settings=10_000, blocks=1))
    with load_station(folder / "ready.yaml") as lab:
        scheduled_s = cost(
            lambda: raise_refused(make_budget(experiment.on(lab.nodes), facts_of(lab.loaded), folder).lines)
        )
        played_s = cost(lambda: lab.run(experiment, out_dir=folder))
    say("10 000 settings scheduled", scheduled_s, "s", "< 2", "planned, checked, budgeted")
    say("10 000 settings played", played_s, "s", "", "two rounds each, every setting recorded; no time in the lab")


def memory(folder: Path) -> None:
    """An hour of heralding in one run."""
    with load_station("mock_lab", seed=1) as lab:
        run = lab.run("heralded_entanglement", out_dir=folder, heralds=15_000, max_time_s=1e6, calibration_shots=2000)
        lab_s = run.live_time_ps("midpoint") / PS_PER_S
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    say("memory of a run", peak, "MB", "< 500", f"{len(run.heralds())} heralds in {lab_s / 3600:.1f} h of the lab")


def engine(folder: Path) -> None:
    """From nothing to an engine that has answered once; a list of the experiments imports them all."""
    begun = time.perf_counter()
    client = EngineClient.connect_or_start("mock_lab", 1, folder)
    process = psutil.Process(client.status().pid)
    wall_s, used = time.perf_counter() - begun, process.cpu_times()
    client.experiments()
    more = process.cpu_times()
    client.shutdown()
    psutil.wait_procs([process], timeout=30)
    detail = f"{wall_s:.1f} s on the clock at load {os.getloadavg()[0]:.0f}"
    say("engine start (processor)", used.user + used.system, "s", "< 3", detail)
    say(
        "its list of experiments",
        more.user + more.system - used.user - used.system,
        "s",
        "",
        "processor, the first time",
    )


def queue(folder: Path) -> None:
    """Ten thousand entries from the file to a client."""
    waiting = RunQueue(folder / "queue.sqlite")
    waiting.submit(*(RunOrder.of("heralded_entanglement", {"heralds": n}, priority=n % 3) for n in range(10_000)))
    begun = time.process_time()
    message = wire.QueueList(entries=map(entry_to_wire, waiting.entries())).SerializeToString()
    listed = queue_from_wire(wire.QueueList.FromString(message))
    say("queue of 10 000 listed", time.process_time() - begun, "s", "< 0.2", f"{len(listed.entries)} entries")
    waiting.close()


def say(what: str, value: float, unit: str, demand: str, detail: str) -> None:
    sys.stdout.write(f"{what:<48} {value:8.3g} {unit:<3} (demand {demand:>5})  {detail}\n")
    sys.stdout.flush()


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "ready.yaml").write_text(STATION, encoding="utf-8")
        for part in (memory, queue, overhead, many_settings, engine):
            if len(sys.argv) < 2 or part.__name__ in sys.argv[1:]:
                part(folder)


if __name__ == "__main__":
    main()
