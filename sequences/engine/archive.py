"""The run files of one folder as clients ask for them: listed, annotated, told again, correlated."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from ...analysis.errors import UsageError
from ...analysis.files.runfile import open_run
from ...analysis.records import CorrelationHistogram
from .condense import Message
from .recorded import correlate_channels, messages
from .run_index import RunIndex
from .values import RunSummary


class Archive:
    """Reads finished and growing runs; writes only the user's notes. May be used from any thread."""

    def __init__(self, folder: Path) -> None:
        self._index = RunIndex(folder)

    def close(self) -> None:
        """Lets go of the index."""
        self._index.close()

    def runs(self, active_path: str) -> list[RunSummary]:
        """Every run, newest first; ``active_path`` is the one being written."""
        return self._index.runs(active_path)

    def annotate(self, run_id: str, star: bool, note: str) -> None:
        """Keeps the user's words about a run."""
        self._index.annotate(run_id, star, note)

    def recorded(self, run_id: str, pace: float) -> Iterator[Message]:
        """A run told again, at ``pace`` lab seconds a second (0: at once)."""
        return messages(open_run(self._index.path(run_id)), pace)

    def write_report(self, run_ids: Sequence[str]) -> Path:
        """The report page of one run, or of several compared, beside the file of the first; gives its path.

        Raises:
            UsageError: no run is named, or there is none of that name.
            DataError: a run cannot be read or the page cannot be written.
        """
        from ..reports import report_input, write_report

        if not run_ids:
            raise UsageError("no run is named for the report")
        paths = [self._index.path(run_id) for run_id in run_ids]
        page = paths[0].with_suffix(".html" if len(paths) == 1 else f".and-{len(paths) - 1}-more.html")
        write_report([report_input(open_run(path)) for path in paths], page)
        return page

    def correlate(
        self, run_id: str, source: str, channel_a: str, channel_b: str, bin_ps: int, range_ps: int
    ) -> CorrelationHistogram:
        """Histogram of the delays between two channels of a run, made anew from its tags."""
        run = open_run(self._index.path(run_id))
        return correlate_channels(run, source, channel_a, channel_b, bin_ps, range_ps)
