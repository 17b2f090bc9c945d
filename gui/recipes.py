"""The same run, plot or setting outside the window: as a command, as a script, as a table. No Qt."""

from __future__ import annotations

import json
import shlex
from typing import Any

from .schema import Field, flatten
from .view_models import FloatArray

Column = tuple[str, FloatArray]


def changed(fields: list[Field], config: dict[str, Any]) -> dict[str, Any]:
    """The keys of a config that differ from what the experiment proposes, dotted; a scan as the line one types."""
    known = {field.path: field for field in fields}
    given = flatten(config, known)
    differing = {
        path: value
        for path, value in given.items()
        if known[path].to_text(value) != known[path].to_text(known[path].default)
    }
    return {
        path: known[path].to_text(value) if known[path].kind == "scan" else value for path, value in differing.items()
    }


def command(experiment: str, station: str, settings: dict[str, Any]) -> str:
    """The run as a line for the shell."""
    parts = ["erbia", "run", experiment, "--station", station]
    for path, value in settings.items():
        parts += ["--set", f"{path}={value if isinstance(value, str) else json.dumps(value)}"]
    return shlex.join(parts)


def script(experiment: str, station: str, settings: dict[str, Any]) -> str:
    """The run as Python."""
    lines = "".join(f"    {path!r}: {value!r},\n" for path, value in settings.items())
    return (
        "import erbia\n\n"
        f"settings = {{\n{lines}}}\n"
        f'with erbia.load_station("{station}") as lab:\n'
        f'    run = lab.run("{experiment}", **settings)\n'
        "    for name, estimate in run.results.items():\n"
        "        print(name, estimate.value, estimate.lower, estimate.upper, estimate.unit)\n"
    )


def csv(columns: list[Column]) -> str:
    """Columns side by side; shorter ones end in empty cells."""
    length = max((len(values) for _, values in columns), default=0)
    lines = [",".join(f'"{name}"' for name, _ in columns)]
    for row in range(length):
        lines.append(",".join(f"{values[row]:.12g}" if row < len(values) else "" for _, values in columns))
    return "\n".join(lines) + "\n"


def plot_script(title: str, x_label: str, y_label: str, columns: list[Column]) -> str:
    """Python that draws the plot again; columns come in pairs x, y."""
    text = [
        "import io\n\nimport matplotlib.pyplot as plt\nimport numpy as np\n",
        f'table = """\\\n{csv(columns)}"""',
        'data = np.genfromtxt(io.StringIO(table), delimiter=",", skip_header=1)',
        "figure, axes = plt.subplots()",
    ]
    for k in range(0, len(columns), 2):
        text.append(f"axes.plot(data[:, {k}], data[:, {k + 1}], linewidth=1, label={columns[k + 1][0]!r})")
    text.append(f"axes.set(title={title!r}, xlabel={x_label!r}, ylabel={y_label!r})")
    text.append("axes.legend()\nplt.show()")
    return "\n".join(text) + "\n"
