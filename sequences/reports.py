"""Reports on run files, and lists of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..analysis.errors import DataError, ErbiaError
from ..analysis.files.runfile import Run, open_run
from ..analysis.records import PS_PER_S
from ..analysis.report import ReportInput, render_pdf, render_report
from ..analysis.timing import TimingPanel
from .diagram import diagram, played_sequence
from .replay import analyze, experiment_of
from .truth import truth_beside


def write_report(inputs: Sequence[ReportInput], path: Path, headline: ReportInput | None = None) -> None:
    """Writes one self-contained page; ``.pdf`` gives a PDF, anything else HTML.

    Raises:
        DataError: the report cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".pdf":
            path.write_bytes(render_pdf(inputs))
        else:
            path.write_text(render_report(inputs, headline), encoding="utf-8")
    except OSError as error:
        raise DataError(f"{path}: cannot be written: {error}") from error


def report_input(run: Run) -> ReportInput:
    """What a report says about a run: its tags analysed again, its settings and provenance."""
    result = analyze(run)
    resolved = json.loads(run.config["resolved_json"])
    return ReportInput(
        title=f"{experiment_of(run).title} · {run.run_id}",
        simulated=run.simulated,
        estimates=result.estimates,
        truth=truth_beside(run, result.estimates) if run.simulated else None,
        predictions=resolved.get("budget", {}).get("predictions", {}),
        histograms=result.histograms,
        expected=result.expected,
        curves=result.curves,
        images=result.images,
        states=result.states,
        counts=result.counts,
        timing=_timing(run),
        live_time_s=run.live_time_ps(run.sources[0]) / PS_PER_S,
        provenance={"run file": str(run.path), "status": run.status, "operator": run.operator, **_origin(run)},
        config=resolved["config"],
    )


def _timing(run: Run) -> tuple[TimingPanel, ...]:
    """The pulses of the last setting of the plan that plays any."""
    plan = experiment_of(run).build()
    return diagram(played_sequence(plan)) if any(s.sequence for s in plan.settings) else ()


def _origin(run: Run) -> dict[str, str]:
    """Provenance for reading: the difference to the commit is told by its length, the file keeps it whole."""
    lines = len(run.provenance.get("git_diff", "").splitlines())
    return run.provenance | {"git_diff": f"{lines} lines, kept in the run file" if lines else "none"}


def list_runs(folder: Path) -> list[dict[str, Any]]:
    """The run files of a folder, newest first; a file that cannot be read is listed as such, never left out.

    Raises:
        DataError: there is no such folder.
    """
    if not folder.is_dir():
        raise DataError(f"{folder}: no such folder")
    return sorted((_row(path) for path in folder.glob("*.h5")), key=lambda row: str(row["run"]), reverse=True)


def _row(path: Path) -> dict[str, Any]:
    row = {"run": path.name, "path": str(path), "experiment": "", "status": "", "simulated": None, "created_utc": ""}
    try:
        with open_run(path) as run:
            facts = {"experiment": run.experiment, "status": run.status, "simulated": run.simulated}
            return row | facts | {"created_utc": run.created_utc}
    except ErbiaError as error:
        return row | {"status": f"unreadable: {error}"}
