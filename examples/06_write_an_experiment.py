"""A complete experiment of one's own: dark counts at the midpoint."""

from dataclasses import dataclass

from pydantic import Field

import erbia
from erbia.analysis.poisson import poisson_rate
from erbia.analysis.records import PS_PER_S
from erbia.sequences.documents import Result
from erbia.sequences.experiments.base import Action, Experiment, ExperimentConfig, Plan, Seconds, Setting, Standing
from erbia.sequences.pulses import Pulse
from erbia.sequences.sequence import Block, Sequence


class DarkCountsConfig(ExperimentConfig):
    duration_s: Seconds = Field(10.0, gt=0, description="how long to count")


@dataclass
class State:
    clicks: int = 0
    live_ps: int = 0


class DarkCounts(Experiment[DarkCountsConfig, State]):
    name = "dark_counts"
    title = "Dark counts at the midpoint"
    Config = DarkCountsConfig

    def build(self):
        gate_open = Sequence("gate open", Block(0), Block(100_000_000, (Pulse("gate", 0, 100_000_000),)), 100)
        return Plan((Setting("dark", gate_open, {"laser.emission": False}),), ("midpoint",))

    def begin(self):
        return State()

    def step(self, state, setting, block):
        midpoint = self.nodes["midpoint"]
        state.clicks += len(block.tags.on(midpoint.channel("detector_a"), midpoint.channel("detector_b")))
        state.live_ps += block.t_stop_ps - block.t_start_ps
        done = state.live_ps >= self.config.duration_s * PS_PER_S
        return state, Action.FINISH if done else Action.CONTINUE

    def result(self, state):
        return Result({"dark_rate_hz": poisson_rate(state.clicks, state.live_ps / PS_PER_S)})

    def standing(self, state):
        return Standing(min(1.0, state.live_ps / PS_PER_S / self.config.duration_s), f"{state.clicks} clicks")


with erbia.load_station("mock_lab", seed=1) as lab:
    run = lab.run(DarkCounts(DarkCountsConfig(duration_s=5)))
print(run.results["dark_rate_hz"])
