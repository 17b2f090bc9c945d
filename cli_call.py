"""What all commands to an engine share: which engine is asked, and how the answer is printed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, fields
from functools import wraps
from inspect import Parameter, Signature, signature
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer

from .analysis.errors import UsageError

if TYPE_CHECKING:
    from .sequences.engine.access import Role, TlsFiles
    from .sequences.engine.client import EngineClient

Station = Annotated[str, typer.Option(help="A shipped station or a station file.")]
Address = Annotated[
    str | None, typer.Option("--engine", metavar="HOST:PORT", help="An engine on another machine; needs --tls.")
]
Tls = Annotated[
    Path | None,
    typer.Option("--tls", metavar="DIR", help="Folder with cert.pem, key.pem and ca.pem: ours, and who signs theirs."),
]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object on stdout (watch: one a line), nothing else.")]


@dataclass(frozen=True, slots=True)
class Call:
    """Which engine is asked, and how the answer is printed: the options all commands to an engine share."""

    station: Station = "mock_lab"
    address: Address = None
    tls: Tls = None
    as_json: AsJson = False

    @contextmanager
    def client(self, role: Role = "operator") -> Iterator[EngineClient]:
        """The engine's client; UsageError when none runs."""
        from .sequences.engine.client import EngineClient

        if self.address is not None:
            client: EngineClient | None = EngineClient(self.address, tls=tls_files(self.tls))
        else:
            client = EngineClient.connect(self.station, role)
        if client is None:
            name = self.station
            raise UsageError(f"no engine of {name} runs here; start one with: erbia engine --station {name}")
        with closing(client):
            yield client

    @contextmanager
    def client_of_started(self) -> Iterator[EngineClient]:
        """The client of an engine that is started where none runs."""
        from .sequences.engine.client import EngineClient

        if self.address is not None:
            with self.client() as client:
                yield client
            return
        with closing(EngineClient.connect_or_start(self.station)) as client:
            yield client

    def say(self, facts: dict[str, Any], words: str) -> None:
        """The answer, as one JSON object or in words."""
        from .console import print_json, stdout

        if self.as_json:
            print_json(facts)
        else:
            stdout.print(words, soft_wrap=True)


def asked_of_an_engine(command: Callable[..., None]) -> Callable[..., None]:
    """The command with its first argument, a Call, spelled out as the options of one."""

    @wraps(command)
    def spelled_out(**given: Any) -> None:
        command(Call(**{name: given.pop(name) for name in shared}), **given)

    hints = get_type_hints(command, include_extras=True)
    shared = get_type_hints(Call, include_extras=True)
    own = [p.replace(annotation=hints[p.name]) for p in list(signature(command).parameters.values())[1:]]
    options = [
        Parameter(f.name, Parameter.KEYWORD_ONLY, default=f.default, annotation=shared[f.name]) for f in fields(Call)
    ]
    spelled_out.__signature__ = Signature([*own, *options])  # type: ignore[attr-defined]
    spelled_out.__annotations__ = {p.name: p.annotation for p in (*own, *options)}
    return spelled_out


def tls_files(folder: Path | None) -> TlsFiles:
    """The certificates in a folder. Raises UsageError when none is given."""
    from .sequences.engine.access import TlsFiles

    if folder is None:
        raise UsageError("beyond this machine both sides show certificates: give --tls DIR")
    return TlsFiles(folder / "cert.pem", folder / "key.pem", folder / "ca.pem")
