"""Runs that several tests look at; each is made once."""
from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

import hspsam_run
from hspsam_run import ROOT, Run


def pytest_sessionstart() -> None:
    if not os.access(os.environ.get("HSPSAM_BIN", ""), os.X_OK):
        pytest.exit("HSPSAM_BIN names no program: call Tests/Interop/run.sh PROGRAM", returncode=2)
    missing = [name for name in ("dciodvfy", "chromium") if not shutil.which(name)]
    if missing:
        pytest.exit(f"missing: {', '.join(missing)}. deploy/setup.sh --tests installs them", returncode=2)


@pytest.fixture(scope="session")
def shared() -> Path:
    """Data that is too much for the repository: recorded references and corpora."""
    folder = Path(os.environ.get("HSPSAM_SHARED", ROOT / "../shared")).resolve()
    if not (folder / "data").is_dir():
        pytest.skip("no corpora: HSPSAM_SHARED names no folder with data/ (default ../shared)")
    return folder


@pytest.fixture(scope="session")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """What the README's reader gets: every sample, the pipelines that ship, default options."""
    return hspsam_run.run([ROOT / "samples"], tmp_path_factory.mktemp("samples") / "out")
