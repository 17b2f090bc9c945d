"""How a run begins and ends for those who watch it: its first document, its answer, its last."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

from ..analysis.errors import ErbiaError
from ..analysis.files.runfile import open_run
from ..instruments.station import LoadedStation
from .documents import Document, RunStart, RunStop
from .experiments.base import Experiment, Plan
from .keeping import keep_result

log = logging.getLogger(__name__)

Status = Literal["done", "failed", "aborted"]
Subscriber = Callable[[Document], None]


class Unanalysable(ErbiaError):
    """The analysis failed on the data as they came; everything recorded is in the file, for ``erbia analyze``."""


def run_start(
    lab: LoadedStation, experiment: Experiment[Any, Any], plan: Plan, path: Path, created_utc: str
) -> RunStart:
    """The first document of a run that goes into that file."""
    return RunStart(
        run_id=path.stem,
        experiment=experiment.name,
        path=str(path),
        simulated=lab.simulated,
        config=experiment.config.model_dump(mode="json"),
        sources=plan.sources,
        created_utc=created_utc,
    )


def conclude(
    experiment: Experiment[Any, Any], state: Any, path: Path, ended: tuple[Status, str], tell: Subscriber
) -> Path:
    """Keeps the answer of a run whose data are all in its file, and tells it."""
    status, reason = ended
    with open_run(path) as file:
        try:
            result = experiment.result(state)
        except Exception as error:
            words = f"recorded ({status}), but the analysis failed: {type(error).__name__}: {error}"
            tell(RunStop("failed", words))
            raise Unanalysable(f"{path}: {words}") from error
        keep_result(file, result)
    tell(result)
    tell(RunStop(status, reason))
    return path


def tell_all(subscribers: Sequence[Subscriber], document: Document) -> None:
    """Hands a document to every subscriber; one that fails is logged, never allowed to hurt the run."""
    for subscriber in subscribers:
        try:
            subscriber(document)
        except Exception:
            log.exception("a subscriber failed on %s", type(document).__name__)
