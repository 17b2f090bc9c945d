"""A lab in a script: load a station, set parameters, run experiments."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from ..analysis.errors import UsageError
from ..analysis.files.runfile import Run, open_run
from ..analysis.quantity import parse_quantity
from ..analysis.records import Estimate
from ..instruments.interfaces import Node
from ..instruments.station import LoadedStation, load
from ..instruments.station_file import addresses_of, find_station, read_station
from .budget import make_budget
from .budget_facts import facts_of
from .calibrations import book_of, calibrate
from .control import RunControl
from .engine.endpoint import runtime_folder
from .experiments.base import Experiment
from .experiments.config import make_config, nested
from .experiments.registry import find_experiment
from .monitors import make_monitors
from .owners import Ownership
from .run_file import dotted_name
from .runner import resume_run, run_experiment
from .safety import make_safe
from .telling import Subscriber
from .watchdog import Watchdog


class Lab:
    """A loaded station. ``station`` is the QCoDeS Station: existing QCoDeS scripts run on it unchanged."""

    def __init__(self, loaded: LoadedStation, ownership: Ownership, watchdog: Watchdog | None = None) -> None:
        self._loaded, self._ownership, self._watchdog = loaded, ownership, watchdog

    @property
    def station(self) -> Any:
        return self._loaded.station

    @property
    def nodes(self) -> Mapping[str, Node]:
        return self._loaded.nodes

    @property
    def simulated(self) -> bool:
        return self._loaded.simulated

    @property
    def loaded(self) -> LoadedStation:
        """The station with its file, roles and clock."""
        return self._loaded

    def hold(self, parameter: str, value: Any) -> None:
        """Sets ``instrument.parameter`` and keeps it: no plan changes it as long as the lab is loaded.

        Numbers may be typed with the parameter's unit (``"0.8 mW"``).

        Raises:
            UsageError: there is no such parameter, or the value is refused; says what is allowed.
        """
        target = self._loaded.parameter(parameter)
        if isinstance(value, str) and target.unit:
            value = parse_quantity(value, target.unit)
        try:
            target.set(value)
        except (ValueError, TypeError) as error:
            allowed = f"allowed is {target.vals}" if target.vals is not None else str(error)
            raise UsageError(f"{parameter}: {value!r} {target.unit} is refused; {allowed}") from error
        self._loaded.held[dotted_name(target)] = value

    def run(
        self,
        experiment: str | Experiment[Any, Any],
        *,
        out_dir: str | Path = "runs",
        operator: str = "",
        subscribers: Sequence[Subscriber] = (),
        control: RunControl | None = None,
        monitors: Mapping[str, Mapping[str, Any]] | None = None,
        **config: Any,
    ) -> Run:
        """Runs an experiment to its end and opens its file.

        Args:
            experiment: its name, or an instance with its config already made.
            out_dir: where the run file goes.
            monitors: what must be as it should for the data to count, by name; added to those of the station file.
            config: keys of the experiment's config, when ``experiment`` is a name.

        Raises:
            UsageError: unknown experiment or key, or a plan that cannot be played.
            InstrumentError: the lab failed; the file up to there is kept.
        """
        if isinstance(experiment, str):
            experiment = make_experiment(experiment, config)
        elif config:
            raise UsageError(f"{experiment.name} has its config already; drop {', '.join(config)}")
        path = run_experiment(
            self._loaded,
            experiment.on(self.nodes),
            out_dir=Path(out_dir),
            operator=operator,
            subscribers=subscribers,
            control=control,
            monitors=make_monitors(monitors or {}),
        )
        return open_run(path)

    def resume(
        self, path: str | Path, *, subscribers: Sequence[Subscriber] = (), control: RunControl | None = None
    ) -> Run:
        """Goes on with a run that was interrupted, failed or stopped, in its own file, and opens it again.

        Raises:
            UsageError: there is nothing to resume, or the run was made with another station or seed.
            InstrumentError: the lab failed; the file up to there is kept.
        """
        return open_run(resume_run(self._loaded, Path(path).resolve(), subscribers=subscribers, control=control))

    def budget(self, experiment: Experiment[Any, Any], out_dir: str | Path = "runs") -> list[dict[str, Any]]:
        """What a run would give and cost, line by line: name, value, unit, allowed, verdict, reason."""
        lines: list[dict[str, Any]] = make_budget(
            experiment.on(self.nodes), facts_of(self._loaded), Path(out_dir)
        ).as_dict()["lines"]
        return lines

    def calibrate(
        self,
        *names: str,
        out_dir: str | Path = "runs",
        operator: str = "",
        subscribers: Sequence[Subscriber] = (),
    ) -> dict[str, str]:
        """Takes the named calibrations of the station and what they need; no name: all that are not fresh.

        Returns what was done, by name: ``calibrated``, ``checked`` or why not.
        """
        told: dict[str, Any] = {"out_dir": out_dir, "operator": operator, "subscribers": subscribers}

        def play(experiment: str, config: Mapping[str, Any]) -> tuple[Mapping[str, Estimate], str]:
            run = self.run(experiment, **told, **config)
            return run.results, str(run.path)

        def apply(parameter: str, value: float) -> None:
            self._loaded.parameter(parameter).set(value)

        return calibrate(book_of(self._loaded, Path(out_dir)), names, play, apply)

    def release(self, parameter: str) -> None:
        """Undoes ``hold``: plans may change the parameter again. Its value stays as it is."""
        self._loaded.held.pop(dotted_name(self._loaded.parameter(parameter)), None)

    def restart_instrument(self, name: str) -> Any:
        """Closes an instrument and opens it again, the others untouched; returns it.

        Raises:
            ConfigError: no such instrument.
            InstrumentError: it does not come back.
        """
        return self._loaded.restart(name)

    def make_safe(self) -> None:
        """Stops the pulses and switches every emission off."""
        make_safe(self._loaded)

    def close(self) -> None:
        """Makes the lab safe and closes every instrument."""
        try:
            self.make_safe()
            if self._watchdog is not None:
                self._watchdog.relieve()
        finally:
            self._loaded.close()
            self._ownership.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def load_station(name_or_path: str | Path, seed: int | None = None) -> Lab:
    """Loads a shipped station by name, or a station file, and connects its instruments.

    A watchdog process switches off what is not simulated in this process, should this process die.

    Raises:
        ConfigError: the file is wrong; names file, line and what is allowed.
        UsageError: another process on this machine owns one of the instruments.
        InstrumentError: an instrument cannot be reached.
    """
    path = find_station(name_or_path)
    ownership = Ownership(runtime_folder(), addresses_of(read_station(path).instruments))
    try:
        loaded = load(path, seed)
        real = any(not loaded.is_mock(name) for name in loaded.station.components)
        lab = Lab(loaded, ownership, Watchdog(path, runtime_folder()) if real else None)
        if ownership.left_behind:
            lab.make_safe()
        return lab
    except BaseException:
        ownership.release()
        raise


def make_experiment(name: str, config: Mapping[str, Any]) -> Experiment[Any, Any]:
    """The named experiment with a config; dotted keys reach into sections (``timing.window_s``).

    Raises:
        UsageError: unknown experiment, key, or value; says what is allowed.
    """
    cls = find_experiment(name)
    return cls(make_config(cls.Config, nested(config, {}), name))


def parse_monitors(texts: Sequence[str]) -> dict[str, Mapping[str, Any]]:
    """``NAME={parameter: laser.lock, equals: true}`` texts (YAML) as plain sections by name. Raises UsageError."""
    sections = {}
    for text in texts:
        name, _, section = text.partition("=")
        try:
            content = YAML(typ="safe", pure=True).load(section)
        except YAMLError:
            content = None
        if not name or not isinstance(content, Mapping):
            raise UsageError(f"--monitor {text!r} is not NAME={{…}}, e.g. lock={{parameter: laser.lock, equals: true}}")
        sections[name] = content
    return sections


def split_settings(texts: Sequence[str], instruments: Sequence[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """``KEY=VALUE`` texts as (keys of the config, instrument parameters to hold).

    A key whose first part names an instrument or role is a parameter. Values are JSON where they parse as such
    (numbers, booleans, lists), else text, so ``20 us`` and ``true`` both mean what they say.

    Raises:
        UsageError: a text without ``=``.
    """
    config: dict[str, Any] = {}
    held: dict[str, Any] = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals or not key:
            raise UsageError(f"--set {text!r} is not KEY=VALUE, e.g. heralds=100 or laser.emission=false")
        target = held if "." in key and key.split(".")[0] in instruments else config
        target[key] = _value(value)
    return config, held


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text
