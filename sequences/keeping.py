"""Results into the run file: numbers, histograms, and every curve and map as a scan that xarray opens."""

from __future__ import annotations

from importlib.metadata import version

from ..analysis.files.grids import Grid, curve_grid, image_grid
from ..analysis.files.runfile import Run
from .documents import Result


def keep_result(run: Run, result: Result) -> int:
    """Adds the result as ``/results/<n>`` and returns n; nothing is written over.

    Raises:
        DataError: the run is still being written, or another process is changing the file.
    """
    return run.write_results(result.estimates, result.histograms, version("erbia"), scans_of(result))


def scans_of(result: Result) -> dict[str, Grid]:
    """The curves and maps of a result by name; a map that shares its name with a curve is called ``<name> map``."""
    curves = {name: curve_grid(curve) for name, curve in result.curves.items()}
    images = {f"{name} map" if name in curves else name: image_grid(image) for name, image in result.images.items()}
    return curves | images
