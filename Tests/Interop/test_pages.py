"""Reports in a real browser, at the width of a desk and of a phone: whole, without scripts, without a network.

HSPSAM_SCREENSHOTS=FOLDER keeps what the browser showed, for people to look at.
"""
from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlparse

import pytest

import hspsam_run
from browser import Browser, Page, browser
from hspsam_run import ROOT, Run

WINDOWS = {"desk": (1280, 900), "phone": (390, 844)}


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser() as one:
        yield one


def look(chromium: Browser, path: Path, window: str, name: str) -> Page:
    page = chromium.open(path, *WINDOWS[window])
    if folder := os.environ.get("HSPSAM_SCREENSHOTS"):
        Path(folder).mkdir(parents=True, exist_ok=True)
        (Path(folder) / f"{name}-{window}.png").write_bytes(page.screenshot)
    return page


def check(page: Page, window: str, path: Path) -> None:
    assert page.problems == [], path
    assert page.requests == [], f"{path} reaches out of itself"
    assert page.width <= WINDOWS[window][0], f"{path} is {page.width} pixels wide"
    assert page.cut == [], path
    assert page.blank == [], path


@pytest.mark.parametrize("window", WINDOWS)
def test_every_page_of_a_run_shows_whole(samples: Run, chromium: Browser, window: str) -> None:
    for path in samples.pages():
        name = "-".join(path.relative_to(samples.folder).with_suffix("").parts)
        check(look(chromium, path, window, name), window, path)


def test_the_index_leads_to_every_report(samples: Run, chromium: Browser) -> None:
    page = chromium.open(samples.folder / "index.html", *WINDOWS["desk"])
    linked = {Path(unquote(urlparse(link).path)) for link in page.links}
    assert set(samples.folder.glob("*/report.html")) <= linked
    assert all(path.exists() for path in linked)
    assert page.images >= len({result["study"] for result, _ in samples.results()})


def test_a_report_shows_pictures_of_its_results(samples: Run, chromium: Browser) -> None:
    for result, path in samples.results():
        page = chromium.open(path.with_name("report.html"), *WINDOWS["desk"])
        assert page.images >= 4, path  # source and overlay, Q and A heat maps
        assert all(segment["label"] in page.text for segment in result["segments"])
        assert result["pipeline_digest"] in page.text and result["model_digest"] in page.text


@pytest.mark.parametrize("window", WINDOWS)
def test_an_index_of_mishaps_shows_whole(chromium: Browser, tmp_path: Path, window: str) -> None:
    inputs = tmp_path / "in"
    inputs.mkdir()
    for number in range(30):
        (inputs / f"a-file-whose-name-{'goes-on-' * 12}{number}.dcm").write_bytes(b"\0" * 128 + b"DICM" + bytes([number]) * 9)
    (inputs / "<img src=x onerror=alert(1)>.dcm").write_text("no image")
    run = hspsam_run.run([inputs], tmp_path / "out")
    assert run.call.status == 3
    check(look(chromium, run.folder / "index.html", window, "mishaps"), window, run.folder)


@pytest.mark.parametrize("window", WINDOWS)
def test_the_outbox_shows_whole_after_a_night(chromium: Browser, tmp_path: Path, window: str) -> None:
    """One study done, one in quarantine."""
    spool = tmp_path / "spool"
    inbox = spool / "inbox"
    assert hspsam_run.call("phantom", "dermoscopy", "--out", tmp_path / "study").status == 0
    inbox.mkdir(parents=True)
    (tmp_path / "study").rename(inbox / "study")
    (inbox / "broken.dcm").write_bytes(b"\0" * 128 + b"DICM" + b"\2\0\0\0UL\4\0")
    settings = tmp_path / "hspsam.yaml"
    settings.write_text(
        f"inbox: {{path: {inbox}, scan: 1s}}\nsettle: {{quiet: 1s}}\nreserve: 1MiB\n"
        f"places: {{spool: {spool}, state: {tmp_path / 'state'}, pipelines: {ROOT / 'pipelines'}}}\n")
    hspsam_run.call("batch", "--config", settings, timeout=300)
    index = spool / "outbox/index.html"
    page = look(chromium, index, window, "outbox")
    check(page, window, index)
    assert "quarantine" in page.text
    assert all(Path(unquote(urlparse(link).path)).exists() for link in page.links)
