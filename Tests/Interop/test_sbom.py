"""The bill of materials is whole SPDX: every package has a name and a version and hangs on the program."""
from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

from hspsam_run import ROOT, program


def test_the_bill_names_the_program_s_packages() -> None:
    told = subprocess.run([ROOT / "deploy/sbom.sh", program()], capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stderr
    bill = json.loads(told.stdout)
    packages = {package["SPDXID"]: package for package in bill["packages"]}
    assert bill["spdxVersion"] == "SPDX-2.3" and len(packages) == len(bill["packages"])
    assert all(package["name"] and package["versionInfo"] for package in packages.values())
    assert {"grdb.swift", "swift-argument-parser", "yams", "libdcmtk17", "libtiff6"} <= {
        package["name"] for package in packages.values()}
    hung = {relation["relatedSpdxElement"] for relation in bill["relationships"]}
    assert hung == set(packages)


def test_without_the_packages_revisions_it_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "deploy").mkdir()
    shutil.copy(ROOT / "deploy/sbom.sh", tmp_path / "deploy")
    told = subprocess.run([tmp_path / "deploy/sbom.sh", program()], capture_output=True, text=True, check=False)
    assert (told.returncode, told.stdout) == (2, "") and "swift package resolve" in told.stderr
