"""Owns the lab: starts a run in its own thread, steers it, and knows how things stand. No protocol in here."""

from __future__ import annotations

import logging
import os
import shutil
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from ...analysis.errors import ErbiaError, UsageError
from ..checks import check_sequence
from ..control import RunControl, StopKind
from ..documents import Document, RunStart, RunStop
from .condense import Condenser
from .parameters import check_setting, describe_parameter, describe_station, find_parameter
from .spool import Spool
from .values import EngineStatus, ExperimentInfo, FieldError, ParameterState, StationState

if TYPE_CHECKING:
    from ..lab import Lab

log = logging.getLogger(__name__)


class Supervisor:
    """One lab, one run at a time. Every method may be called from any thread."""

    def __init__(
        self, lab: Lab, station: str, seed: int | None, experiments: Mapping[str, Any], spool: Spool, out_dir: Path
    ) -> None:
        self._lab, self._station, self._seed = lab, station, seed
        self._experiments, self._spool, self._out_dir = experiments, spool, out_dir
        self._lock = threading.Lock()
        self._control: RunControl | None = None
        self._thread: threading.Thread | None = None
        self._state = "idle"
        self._start: RunStart | None = None
        self._experiment = ""
        self._last_error = ""

    def status(self) -> EngineStatus:
        """How the engine stands now."""
        start = self._start
        return EngineStatus(
            state=self._state,
            station=self._station,
            simulated=self._lab.simulated,
            experiment=self._experiment,
            run_id=start.run_id if start else "",
            run_path=start.path if start else "",
            last_error=self._last_error,
            next_index=len(self._spool),
            free_disk_bytes=shutil.disk_usage(self._out_dir).free,
            pid=os.getpid(),
            seed=self._seed,
            out_dir=str(self._out_dir),
            run_bytes=_size(start.path) if start else 0,
        )

    def experiments(self) -> list[ExperimentInfo]:
        """What can be run here."""
        return [
            ExperimentInfo(name, recipe.title, recipe.Config.model_json_schema())
            for name, recipe in self._experiments.items()
        ]

    def validate(self, experiment: str, config: dict[str, Any], overrides: dict[str, Any]) -> list[FieldError]:
        """Everything wrong with the request, field by field; empty when it could start."""
        recipe = self._experiments.get(experiment)
        if recipe is None:
            return [FieldError("", f"no experiment {experiment!r}; there are {', '.join(self._experiments)}")]
        errors = []
        try:
            recipe.Config(**config)
        except ValidationError as error:
            errors = [FieldError(".".join(map(str, e["loc"])), e["msg"]) for e in error.errors()]
        for name, value in overrides.items():
            try:
                check_setting(name, find_parameter(self._lab.station, name), value)
            except UsageError as refusal:
                errors.append(FieldError(name, str(refusal)))
        return errors

    def plan(self, experiment: str, config: dict[str, Any]) -> dict[str, Any]:
        """What a run would do: its settings with their sequences, and what is wrong with them.

        Raises:
            UsageError: the config is not sound; see ``validate``.
        """
        errors = self.validate(experiment, config, {})
        if errors:
            raise UsageError("; ".join(f"{e.field}: {e.message}" for e in errors))
        recipe = self._experiments[experiment]
        settings = recipe(recipe.Config(**config)).on(self._lab.nodes).build().settings
        return {
            "settings": [
                {
                    "name": s.name,
                    "parameters": {name: str(value) for name, value in s.parameters.items()},
                    "sequence": None if s.sequence is None else s.sequence.describe(),
                }
                for s in settings
            ],
            "problems": [p for s in settings if s.sequence is not None for p in check_sequence(s.sequence)],
        }

    def start(self, experiment: str, config: dict[str, Any], overrides: dict[str, Any]) -> list[FieldError]:
        """Starts a run, or says why not."""
        errors = self.validate(experiment, config, overrides)
        if errors:
            return errors
        with self._lock:
            if self._state != "idle":
                return [FieldError("", f"the engine is {self._state} with {self._experiment}; stop that run first")]
            self._control = RunControl()
            self._state, self._experiment, self._last_error, self._start = "running", experiment, "", None
            work = (experiment, config, overrides, self._control)
            self._thread = threading.Thread(target=self._run, args=work, name="run")
            self._thread.start()
        return []

    def stop(self, kind: StopKind) -> None:
        """Asks the run to stop: ``checkpoint``, ``now`` or ``emergency``. Without a run nothing happens."""
        with self._lock:
            if self._control is not None and self._state != "idle":
                self._state = "stopping"
                self._control.request(kind)

    def pause(self) -> None:
        """Holds the run at its next checkpoint."""
        with self._lock:
            if self._control is not None and self._state == "running":
                self._state = "paused"
                self._control.pause()

    def resume(self) -> None:
        """Lets a held run go on."""
        with self._lock:
            if self._control is not None and self._state == "paused":
                self._state = "running"
                self._control.resume()

    def all_off(self) -> None:
        """Emergency stop, then every output to its safe value at once, without waiting for the run to notice."""
        log.warning("ALL OFF: emergency stop, outputs to their safe values")
        self.stop("emergency")
        self._lab.make_safe()

    def snapshot(self) -> StationState:
        """All parameters as last known."""
        return describe_station(self._lab.station)

    def set_parameter(self, name: str, value: Any) -> ParameterState:
        """Sets within the limits and returns the parameter as it then is. Raises UsageError when refused."""
        parameter = find_parameter(self._lab.station, name)
        check_setting(name, parameter, value)
        before = describe_parameter(name, parameter).value
        parameter.set(value)
        log.info("%s: %s → %s", name, before, value)
        return describe_parameter(name, parameter)

    def read_parameter(self, name: str) -> ParameterState:
        """Asks the instrument for the value now."""
        parameter = find_parameter(self._lab.station, name)
        parameter.get()
        return describe_parameter(name, parameter)

    def close(self) -> None:
        """Ends the run at its next checkpoint, makes the lab safe and lets it go."""
        self.stop("checkpoint")
        if self._thread is not None:
            self._thread.join()
        self._lab.close()

    def _run(self, experiment: str, config: dict[str, Any], overrides: dict[str, Any], control: RunControl) -> None:
        condenser = Condenser(self._spool.append)
        error = ""
        try:
            for name, value in overrides.items():
                self._lab.hold(name, value)
            self._lab.run(
                experiment, out_dir=self._out_dir, subscribers=(self._note, condenser), control=control, **config
            )
        except ErbiaError as failure:
            error = str(failure)
            log.error("%s: %s", experiment, error)
        except Exception as failure:
            error = f"{type(failure).__name__}: {failure}"
            log.exception("%s failed", experiment)
        finally:
            self._lab.loaded.held.clear()
            condenser.flush()
            with self._lock:
                self._state, self._last_error, self._control = "idle", error, None
            if error:
                self._spool.append({"type": "RunFailed", "experiment": experiment, "reason": error})

    def _note(self, document: Document) -> None:
        if isinstance(document, RunStart):
            self._start = document
        elif isinstance(document, RunStop) and document.reason:
            log.info("run %s: %s", document.status, document.reason)


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size
    except OSError:
        return 0
