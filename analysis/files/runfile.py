"""The run file: one HDF5 file a run, written as it goes, readable whatever happened to its writer.

``RunWriter`` writes (one thread owns it), ``open_run`` reads. The layout is described in ``docs/data-format.md``.
"""

from __future__ import annotations

from .freespace import DiskFull, Reserve
from .results import Results
from .runreader import Run, open_run
from .runwriter import RunWriter

__all__ = ["DiskFull", "Reserve", "Results", "Run", "RunWriter", "open_run"]
