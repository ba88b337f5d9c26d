"""Orthanc, an archive of Debian's, takes source and results, lists them under one study and gives them back as they were.

Over DICOM (C-STORE) and over DICOMweb (STOW-RS, QIDO-RS, WADO-RS; the package orthanc-dicomweb). Each archive is started here on ports
of the loopback interface that are free, with a database of its own, and stopped here.
"""
from __future__ import annotations

import contextlib
import email.parser
import email.policy
import json
import os
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pydicom
import pytest
from pydicom.filebase import DicomBytesIO

from hspsam_run import ROOT, Run, files_below
from interop_objects import FOLDER

PROGRAM = shutil.which("Orthanc") or "/usr/sbin/Orthanc"
PLUGIN = Path("/usr/share/orthanc/plugins/libOrthancDicomWeb.so")
pytestmark = pytest.mark.skipif(not os.access(PROGRAM, os.X_OK), reason="no Orthanc: apt-get install orthanc")


class Archive(NamedTuple):
    port: int
    dicom: int

    def fetch(self, path: str, body: bytes | None = None, headers: dict[str, str] | None = None) -> tuple[str, bytes]:
        """Content type and content of what is got, or answered to what is posted."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", body, headers or {})
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.headers["Content-Type"], answer.read()

    def get(self, path: str, body: bytes | None = None, headers: dict[str, str] | None = None) -> bytes:
        return self.fetch(path, body, headers)[1]

    def json(self, path: str) -> Any:
        return json.loads(self.get(path))


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


@contextlib.contextmanager
def orthanc(folder: Path, plugins: list[Path]) -> Iterator[Archive]:
    """An empty archive, as long as the context lasts."""
    one = Archive(free_port(), free_port())
    settings = {
        "StorageDirectory": str(folder / "storage"), "IndexDirectory": str(folder / "index"), "HttpPort": one.port,
        "DicomPort": one.dicom, "DicomAet": "ARCHIVE", "RemoteAccessAllowed": False, "AuthenticationEnabled": False,
        "HttpBindAddresses": ["127.0.0.1"], "DicomAlwaysAllowStore": True, "DicomCheckCalledAet": False,
        "Plugins": list(map(str, plugins)), "DicomWeb": {"Enable": True, "Root": "/dicom-web/"},
        # Label maps are younger than Debian's Orthanc.
        "UnknownSopClassAccepted": True,
    }
    (folder / "orthanc.json").write_text(json.dumps(settings))
    with (folder / "log").open("w") as log, subprocess.Popen([PROGRAM, folder / "orthanc.json"], stdout=log, stderr=log) as process:
        try:
            for _ in range(600):
                try:
                    one.get("/system")
                    break
                except (urllib.error.URLError, OSError):
                    assert process.poll() is None, (folder / "log").read_text()[-2000:]
                    time.sleep(0.1)
            yield one
        finally:
            process.terminate()
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()


@pytest.fixture(scope="module")
def archive(samples: Run, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    """It holds every sample and its results, and what else a pipeline can write, sent by C-STORE."""
    with orthanc(tmp_path_factory.mktemp("orthanc"), []) as one:
        told = subprocess.run(
            ["dcmsend", "--decompress-never", "-aec", "ARCHIVE", "127.0.0.1", str(one.dicom), *dicom_files(samples)],
            capture_output=True, text=True, check=False)
        assert told.returncode == 0, told.stdout + told.stderr
        yield one


def dicom_files(samples: Run) -> list[Path]:
    """Samples with their results; and every kind of object that a pipeline can write, where the Swift tests wrote them."""
    files = [path for path in files_below(ROOT / "samples", samples.folder) if path.suffix == ".dcm"]
    for name in ("kinds-slices-even", "kinds-slices-tilt", "kinds-stack-even"):
        if (FOLDER / name).is_dir():
            files += [path for path in files_below(FOLDER / name) if path.suffix == ".dcm"]
    return files


def test_what_was_stored_comes_back_and_is_listed_under_its_study(samples: Run, archive: Archive) -> None:
    images = {path: pydicom.dcmread(path) for path in dicom_files(samples)}
    listed = archive.json("/studies?expand")
    assert {study["MainDicomTags"]["StudyInstanceUID"] for study in listed} == {
        str(image.StudyInstanceUID) for image in images.values()}
    stored = {}
    for study in listed:
        for instance in archive.json(f"/studies/{study['ID']}/instances"):
            stored[instance["MainDicomTags"]["SOPInstanceUID"]] = instance["ID"]
    for path, image in images.items():
        back = archive.get(f"/instances/{stored[str(image.SOPInstanceUID)]}/file")
        theirs = pydicom.dcmread(DicomBytesIO(back))
        assert theirs == image, path
        series = archive.json(f"/instances/{stored[str(image.SOPInstanceUID)]}/series")
        assert series["MainDicomTags"]["Modality"] == image.Modality


def test_no_second_patient_is_made_of_a_result(archive: Archive) -> None:
    for study in archive.json("/studies?expand"):
        assert len({archive.json(f"/series/{series}/patient")["ID"] for series in study["Series"]}) == 1


@pytest.mark.skipif(not PLUGIN.exists(), reason="no DICOMweb for Orthanc: apt-get install orthanc-dicomweb")
def test_dicomweb_stores_lists_and_gives_back_what_it_got(samples: Run, tmp_path: Path) -> None:
    images = {str(image.SOPInstanceUID): (path, image) for path in dicom_files(samples) for image in [pydicom.dcmread(path)]}
    studies = {str(image.StudyInstanceUID) for _, image in images.values()}
    with orthanc(tmp_path, [PLUGIN]) as one:
        for study in studies:
            paths = [path for path, image in images.values() if image.StudyInstanceUID == study]
            body = b"".join(
                b"--part\r\nContent-Type: application/dicom\r\n\r\n" + path.read_bytes() + b"\r\n" for path in paths) + b"--part--\r\n"
            stored = json.loads(one.get(
                f"/dicom-web/studies/{study}", body,
                {"Content-Type": 'multipart/related; type="application/dicom"; boundary=part', "Accept": "application/dicom+json"}))
            assert len(stored["00081199"]["Value"]) == len(paths) and not stored.get("00081198", {}).get("Value")
        seen = set()
        for study in studies:
            listed = json.loads(one.get(f"/dicom-web/studies/{study}/series", headers={"Accept": "application/dicom+json"}))
            wanted = {(str(image.SeriesInstanceUID), image.Modality) for _, image in images.values() if image.StudyInstanceUID == study}
            assert {(row["0020000E"]["Value"][0], row["00080060"]["Value"][0]) for row in listed} == wanted
            for part in parts(*one.fetch(
                f"/dicom-web/studies/{study}", headers={"Accept": 'multipart/related; type="application/dicom"; transfer-syntax=*'})):
                back = pydicom.dcmread(DicomBytesIO(part))
                path, image = images[str(back.SOPInstanceUID)]
                assert back == image and back.file_meta.TransferSyntaxUID == image.file_meta.TransferSyntaxUID, path
                seen.add(str(back.SOPInstanceUID))
        assert seen == set(images)


def parts(kind: str, body: bytes) -> list[bytes]:
    """Of a multipart answer (RFC 2046)."""
    boundary = email.parser.HeaderParser(policy=email.policy.HTTP).parsestr(f"Content-Type: {kind}\n\n")["Content-Type"].params["boundary"]
    pieces = body.split(b"--" + boundary.encode())[1:-1]
    return [piece.split(b"\r\n\r\n", 1)[1].removesuffix(b"\r\n") for piece in pieces]
