"""Is a file sound? Station files, experiment presets and run files, judged without touching an instrument."""

from __future__ import annotations

from pathlib import Path

from ..analysis.errors import DataError, ErbiaError
from ..analysis.files.runfile import open_run
from ..instruments.causality import named_mocks, refuse_impossible_links
from ..instruments.config_file import plain, read_yaml
from ..instruments.errors import ConfigError
from ..instruments.station_file import read_station, station_layers
from .experiments.config import make_config, nested
from .experiments.registry import experiments, find_experiment
from .replay import experiment_of


def problems_of(path: Path) -> list[str]:
    """One line a problem; an empty list means the file is sound.

    Raises:
        DataError: there is no such file.
    """
    if not path.is_file():
        raise DataError(f"{path}: no such file")
    check = _check_config if path.suffix in {".yaml", ".yml"} else _check_run
    try:
        return check(path)
    except ErbiaError as error:
        return list(error.problems) if isinstance(error, ConfigError) else [str(error)]


def bases_of(path: Path) -> list[str]:
    """The files a station file extends, nearest first; empty for all other files, and for one that cannot be read."""
    try:
        return [str(base) for base in station_layers(path).paths[1:]] if path.suffix in {".yaml", ".yml"} else []
    except ErbiaError:
        return []


def _check_config(path: Path) -> list[str]:
    content = plain(read_yaml(path))
    if isinstance(content, dict) and len(content) == 1 and next(iter(content)) in experiments():
        name = next(iter(content))
        make_config(find_experiment(name).Config, content[name] or {}, f"{path}: {name}")
        return []
    file = read_station(path)
    refuse_impossible_links(path, file, named_mocks(file))
    for name, section in file.calibrations.items():
        for config in (section.config, {**section.config, **(section.check or {})}):
            make_config(find_experiment(section.experiment).Config, nested(config, {}), f"{path}: calibrations.{name}")
    return []


def _check_run(path: Path) -> list[str]:
    with open_run(path) as run:
        problems = [] if run.status == "done" else [f"{path}: status is {run.status}"]
        experiment_of(run)
        for source in run.sources:
            for block in run.iter_blocks(source):
                if block.overflow:
                    problems.append(
                        f"{path}: {source}: overflow at {block.t_start_ps} ps, {block.missed} clicks missed"
                    )
    return problems
