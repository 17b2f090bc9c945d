"""Where a run came from: the code, the packages, the machine and the command."""

from __future__ import annotations

import json
import platform
import subprocess
import sys
from importlib import metadata
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[2]
_DIFF_LIMIT = 1_000_000


def _git(*arguments: str) -> str | None:
    """Output of git in the package's folder; None when that is no checkout or there is no git."""
    try:
        done = subprocess.run(
            ["git", "-C", str(_PACKAGE), *arguments],
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
            errors="replace",
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout


def collect() -> dict[str, str]:
    """``git_commit, git_dirty, git_diff, packages_json, host, command``; git values are empty outside a checkout.

    ``git_dirty`` is ``true`` or ``false``; a diff of more than 1 MB is cut, and says so.
    """
    checkout = (_PACKAGE / ".git").exists()
    commit = _git("rev-parse", "HEAD") if checkout else None
    diff = (_git("diff", "HEAD") or "") if commit else ""
    status = (_git("status", "--porcelain") or "") if commit else ""
    if len(diff) > _DIFF_LIMIT:
        diff = diff[:_DIFF_LIMIT] + f"\n[cut: {len(diff)} characters in all]\n"
    packages = {d.metadata["Name"]: d.version for d in metadata.distributions() if d.metadata["Name"]}
    return {
        "git_commit": (commit or "").strip(),
        "git_dirty": "" if commit is None else str(bool(status.strip())).lower(),
        "git_diff": diff,
        "packages_json": json.dumps({"python": platform.python_version()} | dict(sorted(packages.items()))),
        "host": platform.node(),
        "command": " ".join(sys.argv),
    }
