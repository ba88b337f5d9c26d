"""Orthanc, an archive of Debian's, takes source and results, lists them under one study and gives them back as they were.

It is started here on ports of the loopback interface that are free, with a database of its own, and stopped here.
"""
from __future__ import annotations

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

from hspsam_run import ROOT, Run, files_below

PROGRAM = shutil.which("Orthanc") or "/usr/sbin/Orthanc"
pytestmark = pytest.mark.skipif(not os.access(PROGRAM, os.X_OK), reason="no Orthanc: apt-get install orthanc")


class Archive(NamedTuple):
    port: int
    dicom: int

    def get(self, path: str) -> bytes:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=30) as answer:
            return answer.read()

    def json(self, path: str) -> Any:
        return json.loads(self.get(path))


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


@pytest.fixture(scope="module")
def archive(samples: Run, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    """It holds every sample and its results."""
    folder = tmp_path_factory.mktemp("orthanc")
    one = Archive(free_port(), free_port())
    settings = {
        "StorageDirectory": str(folder / "storage"), "IndexDirectory": str(folder / "index"), "HttpPort": one.port,
        "DicomPort": one.dicom, "DicomAet": "ARCHIVE", "RemoteAccessAllowed": False, "AuthenticationEnabled": False,
        "HttpBindAddresses": ["127.0.0.1"], "DicomAlwaysAllowStore": True, "DicomCheckCalledAet": False, "Plugins": [],
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
            told = subprocess.run(
                ["dcmsend", "--decompress-never", "-aec", "ARCHIVE", "127.0.0.1", str(one.dicom), *dicom_files(samples)],
                capture_output=True, text=True, check=False)
            assert told.returncode == 0, told.stdout + told.stderr
            yield one
        finally:
            process.terminate()
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()


def dicom_files(samples: Run) -> list[Path]:
    return [path for path in files_below(ROOT / "samples", samples.folder) if path.suffix == ".dcm"]


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
        theirs = pydicom.dcmread(pydicom.filebase.DicomBytesIO(back))
        assert theirs == image, path
        series = archive.json(f"/instances/{stored[str(image.SOPInstanceUID)]}/series")
        assert series["MainDicomTags"]["Modality"] == image.Modality


def test_no_second_patient_is_made_of_a_result(archive: Archive) -> None:
    for study in archive.json("/studies?expand"):
        assert len({archive.json(f"/series/{series}/patient")["ID"] for series in study["Series"]}) == 1
