"""Beyond this machine: certificates on both sides, roles by name, nothing without them."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from erbia.analysis.errors import UsageError
from erbia.sequences.engine.access import TlsFiles
from erbia.sequences.engine.client import EngineClient, EngineLost
from erbia.sequences.engine.queue_values import QueueEntry, RunOrder
from erbia.sequences.engine.service import Service, serving_network

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="makes its certificates with openssl")
_LEAF = "subjectAltName=DNS:localhost,IP:127.0.0.1"


def openssl(*arguments: str) -> None:
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_authority(tmp_path_factory.mktemp("lab"))


def make_authority(folder: Path) -> Path:
    key, certificate = str(folder / "ca.key"), str(folder / "ca.pem")
    new_key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    openssl("req", "-x509", *new_key, "-keyout", key, "-out", certificate, "-days", "2", "-subj", "/CN=lab authority")
    return folder


def certificate(authority: Path, name: str) -> TlsFiles:
    key, request, signed = (authority / f"{name}.{kind}" for kind in ("key", "csr", "pem"))
    extensions = authority / f"{name}.ext"
    extensions.write_text(_LEAF, encoding="utf-8")
    new_key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    openssl("req", *new_key, "-keyout", str(key), "-out", str(request), "-subj", f"/CN={name}")
    openssl(
        "x509", "-req", "-in", str(request), "-CA", str(authority / "ca.pem"), "-CAkey", str(authority / "ca.key"),
        "-CAcreateserial", "-out", str(signed), "-days", "2", "-extfile", str(extensions),
    )  # fmt: skip
    return TlsFiles(signed, key, authority / "ca.pem")


def test_roles_go_by_the_name_in_the_certificate(service: Service, authority: Path) -> None:
    with serving_network(service, "127.0.0.1:0", certificate(authority, "engine"), frozenset({"ada"})) as address:
        ada = EngineClient(address, tls=certificate(authority, "ada"))
        assert ada.status().role == "operator"
        entry = ada.submit(RunOrder.of("clicks", {"blocks": 1}, operator="somebody else"))
        assert isinstance(entry, QueueEntry)
        assert entry.order.operator == "ada"
        guest = EngineClient(address, tls=certificate(authority, "guest"))
        assert guest.status().role == "observer"
        with pytest.raises(UsageError, match="Submit is for operators; guest may look on"):
            guest.submit(RunOrder.of("clicks", {"blocks": 1}))


def test_a_stranger_is_not_let_in(service: Service, authority: Path, tmp_path: Path) -> None:
    foreign = make_authority(tmp_path)
    with serving_network(service, "127.0.0.1:0", certificate(authority, "engine"), frozenset({"ada"})) as address:
        impostor = certificate(foreign, "ada")
        with pytest.raises(EngineLost):
            EngineClient(address, tls=TlsFiles(impostor.certificate, impostor.key, authority / "ca.pem")).status()
        with pytest.raises(EngineLost):
            EngineClient(address, "no certificate at all").status()


def test_a_missing_certificate_file_is_named(service: Service, tmp_path: Path) -> None:
    files = TlsFiles(tmp_path / "cert.pem", tmp_path / "key.pem", tmp_path / "ca.pem")
    with (
        pytest.raises(UsageError, match=r"key\.pem: cannot be read"),
        serving_network(service, "0.0.0.0:0", files, frozenset()),
    ):
        pass
