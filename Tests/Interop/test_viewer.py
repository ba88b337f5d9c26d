"""The report as a page to work with: a browser is driven by keyboard and mouse, as a radiologist would.

HSPSAM_SCREENSHOTS=FOLDER keeps what the browser showed, for people to look at.
"""
from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pydicom
import pytest

import hspsam_run
from browser import Browser, Tab, browser
from hspsam_run import ROOT, Run

SHOWN = "viewers[0].element.dataset.shown"


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser() as one:
        yield one


@pytest.fixture(scope="module")
def body(samples: Run) -> tuple[Path, list[pydicom.Dataset]]:
    """The report of the CT among the samples, and its slices in the order of their positions."""
    path = next(path for result, path in samples.results() if result["pipeline"] == "phantom-body").with_name("report.html")
    slices = [pydicom.dcmread(file) for file in sorted((ROOT / "samples/body").glob("*.dcm"))]
    return path, sorted(slices, key=lambda image: float(image.ImagePositionPatient[2]))


def keep(tab: Tab, name: str) -> None:
    if folder := os.environ.get("HSPSAM_SCREENSHOTS"):
        Path(folder).mkdir(parents=True, exist_ok=True)
        (Path(folder) / f"{name}.png").write_bytes(tab.screenshot())


def to(tab: Tab, shown: int) -> None:
    tab.until(f"{SHOWN} === '{shown}'")


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("size", [(1280, 900), (390, 844)], ids=["desk", "phone"])
def test_slices_turn_by_keys_and_wheel(body, chromium: Browser, size: tuple[int, int], dark: bool) -> None:
    path, slices = body
    last = len(slices) - 1
    with chromium.tab(path, *size, dark=dark) as tab:
        tab.until(SHOWN)
        tab.evaluate("viewers[0].element.scrollIntoView(); viewers[0].element.focus()")
        tab.key("Home")
        to(tab, 0)
        tab.key("ArrowDown")
        to(tab, 1)
        tab.key("ArrowUp")
        to(tab, 0)
        tab.key("End")
        to(tab, last)
        box = tab.evaluate("(b => [b.x, b.y, b.width, b.height])(viewers[0].canvas.getBoundingClientRect())")
        middle = (box[0] + box[2] / 2, box[1] + box[3] / 2)
        tab.mouse("mouseWheel", *middle, deltaX=0, deltaY=-100)
        to(tab, last - 1)
        tab.evaluate(f"viewers[0].go({len(slices) // 2})")
        to(tab, len(slices) // 2)
        lit = "(c => { const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data; let n = 0; for (let i = 0; i < d.length; i += 4) n += d[i] + d[i + 1] + d[i + 2] > 60; return n; })(viewers[0].canvas)"
        assert tab.evaluate(lit) > 1000
        assert tab.evaluate("document.documentElement.scrollWidth") <= size[0]
        keep(tab, f"viewer-{'desk' if size[0] > 600 else 'phone'}-{'dark' if dark else 'light'}")
        assert tab.problems() == [] and tab.requests() == []


def test_every_value_of_a_slice_is_the_source_s(body, chromium: Browser) -> None:
    path, slices = body
    with chromium.tab(path, 1280, 900) as tab:
        tab.until(SHOWN)
        for at in (0, len(slices) // 2, len(slices) - 1):
            tab.evaluate(f"viewers[0].go({at})")
            to(tab, at)
            values = tab.evaluate(f"Array.from(viewers[0].values.get({at}))")
            slope, intercept = tab.evaluate(f"[viewers[0].meta.slices[{at}].slope, viewers[0].meta.slices[{at}].intercept]")
            image = slices[at]
            wanted = image.pixel_array * float(image.RescaleSlope) + float(image.RescaleIntercept)
            assert np.array_equal(np.array(values) * slope + intercept, wanted.ravel())


@pytest.mark.parametrize("slope, exact", [(0.5, False), (0.37, False), (40, False), (3, True)])
def test_values_that_16_bits_do_not_hold_are_right_to_half_a_step(chromium: Browser, tmp_path: Path, slope: float, exact: bool) -> None:
    """Fractions and large values go through a scale of the slice's own; whole ones that fit are as they are."""
    (tmp_path / "in").mkdir()
    slices = [pydicom.dcmread(file) for file in sorted((ROOT / "samples/body").glob("*.dcm"))]
    slices = sorted(slices, key=lambda image: float(image.ImagePositionPatient[2]))
    for number, image in enumerate(slices):
        image.RescaleSlope = slope
        image.RescaleIntercept = round(slope * float(image.RescaleIntercept))  # within the pipeline's window
        image.save_as(tmp_path / "in" / f"{number}.dcm")
    run = hspsam_run.run([tmp_path / "in"], tmp_path / "out")
    page = next(run.folder.glob("*/report.html"))
    with chromium.tab(page, 1280, 900) as tab:
        tab.until(SHOWN)
        for at, image in list(enumerate(slices))[::11]:
            tab.evaluate(f"viewers[0].go({at})")
            to(tab, at)
            values = np.array(tab.evaluate(f"Array.from(viewers[0].values.get({at}))"))
            step, offset = tab.evaluate(f"[viewers[0].meta.slices[{at}].slope, viewers[0].meta.slices[{at}].intercept]")
            wanted = (image.pixel_array * float(image.RescaleSlope) + float(image.RescaleIntercept)).ravel()
            assert (step == 1) == exact
            assert np.abs(values * step + offset - wanted).max() <= (0 if exact else step * 0.51)


def test_window_segments_views_and_verdict_change_by_hand(body, chromium: Browser) -> None:
    path, _ = body
    with chromium.tab(path, 1280, 900) as tab:
        tab.until(SHOWN)
        tab.evaluate("viewers[0].element.scrollIntoView(); viewers[0].element.focus()")
        before = tab.evaluate("[viewers[0].window.center, viewers[0].window.width]")
        box = tab.evaluate("(b => [b.x, b.y, b.width, b.height])(viewers[0].canvas.getBoundingClientRect())")
        middle = (box[0] + box[2] / 2, box[1] + box[3] / 2)
        tab.drag(middle, (middle[0] + 60, middle[1] + 30))
        after = tab.evaluate("[viewers[0].window.center, viewers[0].window.width]")
        assert after[0] > before[0] and after[1] > before[1]
        tab.mouse("mouseMoved", *middle)
        assert "column" in tab.until("viewers[0].q('readout').textContent")
        for key, state in (("s", "both"), ("o", "outline"), (" ", "drawn")):
            was = tab.evaluate(f"viewers[0].{state}")
            tab.key(key)
            assert tab.evaluate(f"viewers[0].{state}") != was
        tab.key("1")
        assert tab.evaluate("viewers[0].shown[0]") is False
        tab.key("+")
        assert tab.evaluate("viewers[0].zoom") > 1
        tab.key("0")
        assert tab.evaluate("viewers[0].zoom") == 1
        for name in ("both", "outline", "drawn"):
            tab.evaluate(f"viewers[0].q('{name}').click()")
        keep(tab, "viewer-side-by-side")
        tab.key("n")
        assert tab.evaluate("document.querySelector('.review').dataset.verdict") == "no"
        tab.key("y")
        assert tab.evaluate("document.querySelector('.review').dataset.verdict") == "yes"
        tab.evaluate("document.querySelector('.review').scrollIntoView()")
        keep(tab, "viewer-review")
        assert tab.problems() == []


def test_markup_in_attributes_stays_text(chromium: Browser, tmp_path: Path) -> None:
    markup = "<img src=x onerror=alert(1)>"
    for number, file in enumerate(sorted((ROOT / "samples/body").glob("*.dcm"))[:5]):
        image = pydicom.dcmread(file)
        image.PatientName, image.StudyDescription, image.SeriesDescription = markup, markup, "hspsam phantom </script>" + markup
        image.PatientID, image.AccessionNumber = "<b>1</b>", "<i>7</i>"
        (tmp_path / "in").mkdir(exist_ok=True)
        image.save_as(tmp_path / "in" / f"{number}.dcm")
    run = hspsam_run.run([tmp_path / "in"], tmp_path / "out")
    for path in run.pages():
        with chromium.tab(path, 1280, 900) as tab:
            assert tab.evaluate("document.querySelectorAll('img[src=x], td b, dd b, dd i').length") == 0
            assert markup in tab.evaluate("document.body.innerText")
            assert tab.problems() == [] and tab.requests() == []


def test_a_report_prints_on_few_pages(body, chromium: Browser) -> None:
    with chromium.tab(body[0], 1280, 900) as tab:
        tab.until(SHOWN)
        pages = tab.pdf().count(b"/Type /Page\n") or tab.pdf().count(b"/Type /Page ")
        assert 1 <= pages <= 2


def test_the_index_sorts_and_filters(samples: Run, chromium: Browser) -> None:
    with chromium.tab(samples.folder / "index.html", 1280, 900) as tab:
        rows = "[...document.querySelectorAll('table.sortable tbody tr')].filter(row => !row.hidden)"
        count = tab.evaluate(f"{rows}.length")
        assert count >= len(samples.record["results"])
        tab.evaluate("(f => { f.value = 'nuclei'; f.dispatchEvent(new Event('input')); })(document.querySelector('[data-filter]'))")
        assert 0 < tab.evaluate(f"{rows}.length") < count
        tab.evaluate("(f => { f.value = ''; f.dispatchEvent(new Event('input')); })(document.querySelector('[data-filter]'))")
        tab.evaluate("document.querySelector('table.sortable th button').click()")
        names = tab.evaluate(f"{rows}.map(row => row.cells[0].dataset.sort)")
        assert names == sorted(names)
        keep(tab, "index")
        assert tab.problems() == []
