"""The simulated lab: the only owner of hidden truth, of lab time and of randomness.

It sees what hardware sees, parameters and pulses, and never which experiment runs.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from threading import RLock
from typing import Any, Literal, TypeVar

import numpy as np

from ...analysis.records import PS_PER_S, Int64Array, TagBlock
from . import devices
from .attempt_model import AttemptModel, build
from .attempt_stream import OUTPUTS, AttemptStream, Events
from .bench import BenchLight
from .clocks import Clock
from .conditions import MIDPOINT, Conditions
from .config import ClockConfig, TwinConfig
from .detector import Pixel
from .faults import Fault, FaultSchedule
from .kernels import merge
from .local import LocalLight
from .program import Program
from .readings import READINGS, Readings
from .sampling import herald_times, pattern_counts
from .settings import Key, power_up
from .slow import Slow
from .streams import stream
from .tagger import Input, Tagger
from .timeline import Position
from .wiring import NODE_OF, inputs_of

_T = TypeVar("_T")
#: Everything is generated this far beyond the time asked for, so that jitter and clock noise never reach back.
_AHEAD_PS = 2_000_000
_TAGS_PER_BLOCK = 200_000
_TAGS_PER_STEP = 1_000_000


class World:
    """One simulated lab.

    Args:
        config: a TwinConfig or its plain dict.
        seed: everything random follows from it.
        pace: ``"free"`` or a multiple of real time; kept here for whoever paces the lab, physics does not use it.
        threads: how many work on pixels and taggers; the tags do not depend on it.

    ``steady_since_ps`` is the lab time of the last change that matters.
    """

    def __init__(
        self,
        config: dict[str, Any] | TwinConfig,
        seed: int = 0,
        pace: Literal["free"] | float = "free",
        threads: int = 1,
    ) -> None:
        self.config = config if isinstance(config, TwinConfig) else TwinConfig.model_validate(config)
        self.seed, self.pace = seed, pace
        self.lock = RLock()
        self._pool = ThreadPoolExecutor(threads) if threads > 1 else None
        self._now_ps = self._horizon_ps = self.steady_since_ps = 0
        self._settings = power_up(self.config)
        self._stale, self._epoch = True, 0
        self._program: Program | None = None
        self._model: AttemptModel | None = None
        self._playing: AttemptStream | None = None
        self._resume: Position | None = None
        self._due: dict[str, Events] | None = None
        self._gated = False
        self._slow = Slow(self.config, seed)
        self._light, self._bench = LocalLight(self.config, seed), BenchLight(self.config, seed)
        self._pixels: dict[str, Pixel] = {c: Pixel(p, seed, c) for c, p in self.config.detectors.items()}
        self._readings = Readings(self.config, seed)
        self._clicked: dict[str, int] = dict.fromkeys(self._pixels, 0)
        self._faults = FaultSchedule(self.config.faults, self.config.random_faults, seed)
        self._faults.check(self._settings)
        self._inputs = inputs_of(self.config)
        clocks = {name: self.config.clocks.get(NODE_OF[name], ClockConfig()) for name in self._inputs}  # type: ignore[call-overload]
        self._clocks = {name: Clock(c, stream(seed, "clock", name)) for name, c in clocks.items()}
        self._taggers = {name: self._tagger(name, inputs) for name, inputs in self._inputs.items()}

    @property
    def now_ps(self) -> int:
        """Lab time."""
        return self._now_ps

    @property
    def conditions(self) -> Conditions:
        """The lab under the present settings."""
        return Conditions(self.config, self._settings)

    @property
    def program(self) -> Program | None:
        return self._program

    @property
    def running(self) -> bool:
        """Whether the pulse generator plays."""
        return self._playing is not None or self._resume is not None

    def get(self, component: str, parameter: str) -> float:
        """A knob or a reading. Raises KeyError for one the lab does not have."""
        with self.lock:
            if parameter in READINGS:
                return self._readings.of(self.conditions, component, parameter, self.expected_rate_hz)
            return self._settings[component, parameter]

    def set(self, component: str, parameter: str, value: float) -> None:
        """Turns a knob from now on. Raises KeyError for one the lab does not have."""
        with self.lock:
            if value == self._settings[component, parameter]:
                return
            self._change((component, parameter), value)
            self._upset(component, parameter)
            if (component, parameter) == ("laser", "lock") and value:
                self._change(("laser", "frequency_error"), 0.0)
            if component.startswith("snspd.") and parameter == "bias":
                pixel = self.config.detectors[component.removeprefix("snspd.")]  # type: ignore[index]
                if devices.latches(pixel, value):
                    self._change((component, "latched"), 1.0)
                elif value == 0:  # without current the wire cools down and is superconducting again
                    self._change((component, "latched"), 0.0)

    def reset_detector(self, channel: str) -> None:
        """Cycles the bias: a latched pixel recovers unless its bias is still too high."""
        with self.lock:
            pixel = self.config.detectors[channel]  # type: ignore[index]
            latched = devices.latches(pixel, self._settings[f"snspd.{channel}", "bias"])
            self._change((f"snspd.{channel}", "latched"), float(latched))

    def load(self, program: Program) -> None:
        """Uploads pulses; whatever played before stops. Raises ProgramError for pulses the lab cannot play."""
        with self.lock:
            model = build(self.conditions, program)
            self.stop_playing()
            self._program, self._model = program, model

    def start_playing(self) -> None:
        """Plays the loaded program from now on. Raises LookupError when nothing is loaded."""
        with self.lock:
            self._loaded()
            self._suspend()
            self._resume, self._gated, self._stale = Position(self._now_ps + _AHEAD_PS), True, True

    def stop_playing(self) -> None:
        """All outputs low; clicks on their way still arrive, and the midpoint's detectors run free."""
        with self.lock:
            self._suspend()
            self._resume, self._gated, self._stale = None, False, True

    def start_tagger(self, name: str) -> None:
        with self.lock:
            self._taggers[name].start(self._now_ps)

    def stop_tagger(self, name: str) -> None:
        with self.lock:
            self._taggers[name].stop()

    def tagger_running(self, name: str) -> bool:
        return self._taggers[name].running

    def read_tagger(self, name: str, duration_ps: int) -> TagBlock:
        """The block since the last one; lets ``duration_ps`` of lab time pass first when nothing is waiting."""
        with self.lock:
            if not self._taggers[name].waiting:
                self.advance(duration_ps)
            return self._taggers[name].drain()

    def advance(self, duration_ps: int) -> None:
        """Lets lab time pass."""
        with self.lock:
            stop_ps = self._now_ps + int(duration_ps)
            self._strike()
            while self._now_ps < stop_ps:
                tick_ps = (self._now_ps // self._slow.tick_ps + 1) * self._slow.tick_ps
                limit_ps = min(stop_ps, self._faults.next_ps())
                if self._settled():
                    self._step(min(limit_ps, self._now_ps + self._longest_step_ps()))
                else:
                    self._step(min(limit_ps, tick_ps))
                    if self._now_ps == tick_ps:
                        self._tick()
                self._strike()

    def go_on_at(self, t_ps: int) -> None:
        """Lets time pass until ``t_ps``, as if the lab had been away; pulses then draw on randomness never used before."""
        with self.lock:
            self.advance(max(0, t_ps - self._now_ps))
            self._epoch = self._now_ps

    def clicks(self, channel: str) -> int:
        """Clicks of a detector since the beginning, as a counter at its output has them. Raises KeyError for no such one."""
        return self._clicked[channel]

    def suggested_block_ps(self) -> int:
        """A stretch of lab time worth one block: about 200 000 tags, between 10 ms and 1 s."""
        with self.lock:
            rate = sum(self.expected_rate_hz(c) for c in self._pixels) + 1.0
            return int(np.clip(_TAGS_PER_BLOCK / rate * PS_PER_S, PS_PER_S // 100, PS_PER_S))

    def expected_rate_hz(self, channel: str) -> float:
        """Mean click rate of a detector under the present settings."""
        with self.lock:
            rate_hz = self.conditions.free_rate_hz(channel, gated=self._gated)
            model = self.current_model() if self.running else None
            return rate_hz + (model.click_rate_hz(channel) if model is not None else 0.0)

    def sample_heralds(self, duration_ps: int) -> tuple[Int64Array, Int64Array]:
        """A forecast: herald decisions (int64 ps) and outcomes (±1) of ``duration_ps`` of playing; lab time stands still.

        Raises LookupError when no pulses are loaded.
        """
        with self.lock:
            program, model = self._loaded()
            return herald_times(program, model, stream(self.seed, "forecast"), duration_ps)

    def count_patterns(self, attempts: int) -> tuple[Int64Array, int]:
        """A forecast: counts of each click pattern in about ``attempts`` attempts, and their exact number; or LookupError."""
        with self.lock:
            return pattern_counts(self._loaded()[1], stream(self.seed, "patterns"), attempts)

    def _loaded(self) -> tuple[Program, AttemptModel]:
        model = self.current_model()
        if self._program is None or model is None:
            raise LookupError("no pulses are loaded")
        return self._program, model

    def checkpoint(self) -> World:
        """An independent copy in the same state: it goes on exactly as this one would."""
        with self.lock:
            shared = (self.config, self._settings, self._program, self._model, self.lock, self._pool)
            copied = copy.copy(self)
            copied.__dict__ = copy.deepcopy(self.__dict__, {id(part): part for part in shared})
            copied.lock = RLock()
            return copied

    def hung(self, name: str) -> bool:
        """Whether a tagger does not answer at present."""
        return bool(self._settings[name, "hung"])

    def faults(self) -> tuple[Fault, ...]:
        """The faults that have happened so far, in order."""
        return self._faults.happened()

    def clock_line(self, name: str) -> tuple[float, float]:
        """Best straight line (offset at lab time 0 in ps, skew) through a tagger's clock since the last change."""
        with self.lock:
            return self._clocks[name].line(self.steady_since_ps, self._now_ps)

    def truth(self) -> dict[str, float]:
        """What is really so: from parameters, pulses and realised clocks, by no estimator. Keys in docs/twin.md."""
        from .truth import truth

        with self.lock:
            return truth(self)

    def current_model(self) -> AttemptModel | None:
        """The attempt model of the loaded program under the present settings."""
        with self.lock:
            if self._model is None and self._program is not None:
                self._model = build(self.conditions, self._program)
            return self._model

    def _tagger(self, name: str, inputs: Mapping[int, str]) -> Tagger:
        config, clock = self.config.taggers[name], self._clocks[name]  # type: ignore[index]
        return Tagger(name, config, {n: Input(config, clock, self.seed, name, n) for n in inputs}, clock)

    def _change(self, key: Key, value: float) -> None:
        self._settings = self._settings.changed(key, value)
        self._outdate()

    def _outdate(self) -> None:
        """What was derived from the settings holds no longer."""
        self._model, self._stale, self.steady_since_ps = None, True, self._now_ps

    def _suspend(self) -> None:
        """Stops drawing attempts at the horizon; what they caused stays due."""
        if self._playing is not None:
            self._resume, self._due = self._playing.cut(self._horizon_ps)
            self._playing = None

    def _refresh(self) -> None:
        """Derives everything anew from the settings, from the horizon on."""
        self._suspend()
        self._light.set_rates(self.conditions, self._horizon_ps)
        if self._gated:
            self._bench.rest(self._horizon_ps)
        else:
            self._bench.shine(self.conditions, self._horizon_ps)
        for channel, pixel in self._pixels.items():
            pixel.set_bias(self._settings[f"snspd.{channel}", "bias"])
            pixel.jittered = self._gated and channel in MIDPOINT
        if self._resume is not None:
            program, model = self._loaded()
            self._epoch += 1
            rng, close = (stream(self.seed, name, self._epoch) for name in ("attempts", "heralds"))
            self._playing = AttemptStream(program, model, self._resume, rng, close, self._due)
            self._resume, self._due = None, None
        self._stale = False

    def _step(self, stop_ps: int) -> None:
        """From now to ``stop_ps`` with nothing changing in between."""
        if self._stale:
            self._refresh()
        horizon_ps = stop_ps + _AHEAD_PS
        events = self._events(horizon_ps)

        def feed(name: str) -> None:
            plugged = not self._settings[name, "unplugged"]
            none = np.empty(0, np.int64)
            edges = {n: events[source] if plugged else none for n, source in self._inputs[name].items()}
            self._taggers[name].feed(edges, stop_ps)

        self._each(feed, self._taggers)
        self._now_ps, self._horizon_ps = stop_ps, horizon_ps

    def _events(self, horizon_ps: int) -> dict[str, Int64Array]:
        """Everything that reaches a tagger input between the old and the new horizon, in order."""
        none = np.empty(0, np.int64)
        events = dict.fromkeys((*OUTPUTS, "sync"), none)
        if self._playing is not None:
            events |= self._playing.take_until(horizon_ps)
            events["sync"] = self._playing.markers("sync", self._horizon_ps, horizon_ps)
            if self._playing.exhausted(horizon_ps):
                self._suspend()
                self._resume = None
        elif self._due is not None:
            events |= {name: np.sort(t[t < horizon_ps]) for name, (t, _) in self._due.items()}
            self._due = {name: (t[t >= horizon_ps], s[t >= horizon_ps]) for name, (t, s) in self._due.items()}
        for light in (self._light, self._bench):
            for channel, photons in light.take_until(horizon_ps).items():
                events[channel] = merge(events[channel], photons)

        def click(channel: str) -> Int64Array:
            found = self._pixels[channel].click(events[channel], horizon_ps)
            plugged = not self._settings[f"snspd.{channel}", "unplugged"]
            self._clicked[channel] += len(found) * plugged
            return found if plugged else none

        return events | dict(zip(self._pixels, self._each(click, self._pixels), strict=True))

    def _each(self, work: Callable[[str], _T], names: Iterable[str]) -> list[_T]:
        """Does the work for every name, on the pool if there is one."""
        return list(self._pool.map(work, names) if self._pool else map(work, names))

    def _strike(self) -> None:
        """Lets the faults due now happen, and those end whose time is over."""
        for key in self._faults.ended(self._now_ps):
            self._change(key, 0.0)
            self._upset(*key)
        for fault in self._faults.due(self._now_ps):
            self._change(fault.key, fault.value)
            self._upset(*fault.key)
            if fault.kind in ("clock_step", "rollover"):
                self._clocks[fault.component].step(round(fault.size if fault.kind == "clock_step" else -fault.size))
            if fault.kind == "lock_loss":
                self._change(("laser", "lock"), 0.0)

    def _upset(self, component: str, parameter: str) -> None:
        """What a fault does to a clock or a tagger beyond the settings."""
        if parameter in ("skew_error", "frequency_offset"):
            off = self._settings[component, "skew_error"] + self._settings[component, "frequency_offset"]
            self._clocks[component].run_off(self._now_ps, off)
        if parameter == "stalled":
            self._taggers[component].stall(self._settings[component, parameter])

    def _settled(self) -> bool:
        """Whether nothing slow is going on, so that time need not be cut into ticks."""
        if not self._slow.resting(self._settings, self._light_w()):
            return False
        return not any(
            self.conditions.may_latch(channel, 2 * self.expected_rate_hz(channel)) for channel in self._pixels
        )

    def _light_w(self) -> float:
        """Mean optical power on the chips."""
        if self._program is None or not self.running or not self.conditions.lit:
            return 0.0
        return self.conditions.laser_w * self._program.optical_duty

    def _longest_step_ps(self) -> int:
        """About a million tags, at most 1000 s."""
        rate = sum(self.expected_rate_hz(c) for c in self._pixels) + 1e3
        return int(min(_TAGS_PER_STEP / rate, 1000.0) * PS_PER_S)

    def _tick(self) -> None:
        """Slow things: pixels latch under too much light, and what drifts by itself."""
        for channel, pixel in self._pixels.items():
            if self.conditions.may_latch(channel, pixel.count() * PS_PER_S / self._slow.tick_ps):
                self._change((f"snspd.{channel}", "latched"), 1.0)
        self._settings, matters = self._slow.tick(self._settings, self._now_ps, self._light_w())
        if matters:
            self._outdate()
