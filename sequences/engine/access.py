"""Who may call what: every caller has a name and a role, by token on this machine or by certificate from elsewhere."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

import grpc

from ...analysis.errors import UsageError

AUTHORIZATION = "authorization"
Role = Literal["operator", "observer"]

#: What looks and changes nothing; and the emergency stop, which is nobody's privilege.
OBSERVER_METHODS = frozenset(
    {
        "GetStatus", "ListExperiments", "Validate", "PlanRun", "Snapshot", "Documents", "ListRuns", "Recorded",
        "Correlate", "ListQueue", "ListCalibrations", "AllOff",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls. ``name`` is that of the certificate; empty on this machine."""

    name: str
    role: Role


#: The caller of the method being served.
caller: ContextVar[Caller] = ContextVar("caller")


class Access(Protocol):
    """Tells who a caller is; None for nobody known."""

    def who(self, context: grpc.ServicerContext) -> Caller | None: ...


def observer_token(token: str) -> str:
    """The token that may only look, made from the operator's; there is no way back."""
    return hashlib.sha256(b"observer " + token.encode()).hexdigest()


class TokenAccess:
    """Callers on this machine: they read the token from a file only its user can open."""

    def __init__(self, token: str) -> None:
        roles: Mapping[str, Role] = {token: "operator", observer_token(token): "observer"}
        self._callers = {f"Bearer {text}".encode(): Caller("", role) for text, role in roles.items()}

    def who(self, context: grpc.ServicerContext) -> Caller | None:
        """The role its token gives."""
        given = str(dict(context.invocation_metadata()).get(AUTHORIZATION, "")).encode()
        return next((c for expected, c in self._callers.items() if hmac.compare_digest(given, expected)), None)


class CertificateAccess:
    """Callers from elsewhere: TLS has checked the certificate; its common name decides what it may do."""

    def __init__(self, operators: frozenset[str]) -> None:
        self._operators = operators

    def who(self, context: grpc.ServicerContext) -> Caller | None:
        """An operator if so named when the engine was started, else an observer."""
        names = context.auth_context().get("x509_common_name", [])
        if not names:
            return None
        name = names[0].decode()
        return Caller(name, "operator" if name in self._operators else "observer")


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """Paths of PEM files: own certificate and key, and the authority that signed the other side's certificates."""

    certificate: Path
    key: Path
    authority: Path

    def server_credentials(self) -> grpc.ServerCredentials:
        """Of an engine that demands a certificate from every client."""
        return grpc.ssl_server_credentials(
            [(_read(self.key), _read(self.certificate))], _read(self.authority), require_client_auth=True
        )

    def channel_credentials(self) -> grpc.ChannelCredentials:
        """Of a client that shows its certificate and checks the engine's."""
        return grpc.ssl_channel_credentials(_read(self.authority), _read(self.key), _read(self.certificate))


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}; TLS needs a PEM file there") from error
