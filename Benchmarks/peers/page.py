"""Opens the report of 300 slices of 512 × 512 in a headless Chromium: page.py FOLDER SHARED.

The study is that of `hspsam bench --what objects`, segmented by a tiny network. Counted is the time until the first slice is drawn, and until
any other one is.
"""
from __future__ import annotations

import sys
import time
from pathlib import Path

import hspsam_run
from browser import browser
from model_makers import make_pipeline


def main() -> None:
    folder, shared = Path(sys.argv[1]), Path(sys.argv[2]).resolve()
    pipelines, out = folder / "pipelines", folder / "out"
    if not (pipelines / "page").is_dir():
        make_pipeline(pipelines / "page", shared / "golden/nano-paper", geometry=False)
    run = hspsam_run.run([folder / "source"], out, "--pipelines", pipelines, "--pipeline", "page", timeout=900)
    page = next(path for path in run.pages() if path.name == "report.html")
    shown = "viewers[0].element.dataset.shown"
    opened, turned = [], []
    with browser() as chromium:
        for _ in range(3):
            start = time.perf_counter()
            with chromium.tab(page, 1280, 900) as tab:
                tab.until(shown)
                opened.append(time.perf_counter() - start)
                start = time.perf_counter()
                tab.evaluate("viewers[0].go(299)")
                tab.until(f"{shown} === '299'")
                turned.append(time.perf_counter() - start)
                slices = tab.evaluate("viewers[0].meta.slices.length")
                problems = tab.problems()
                (folder / "page.png").write_bytes(tab.screenshot())
    print(
        f"page: {page.stat().st_size / 1e6:.1f} MB, {slices} slices, opened in {min(opened):.2f} s (slowest {max(opened):.2f}),"
        f" another slice in {min(turned):.3f} s, problems {problems}")


main()
