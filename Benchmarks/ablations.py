"""Trains and measures the rows of the paper's ablation table and its numbers of prompts, several seeds each.

Example: python Benchmarks/ablations.py .build/release/hspsam FOLDER --set skin-lesion=ISIC --set nuclei=DSB --seeds 1 2 3

vit_t at 256, the encoder that of another shipped model (nuclei for skin-lesion, skin-lesion for nuclei), frozen where the configuration
says so, everything else drawn anew with the seed. Each run is a folder of FOLDER with its plan, its curve and its figures; a run that has
figures is not repeated, so the script can be stopped and called again. Prints Markdown tables: the mean over the seeds of each figure, the
deviation between seeds in brackets, and the 95 % interval of the difference to `hsp_sam` over images (bootstrap; means over the seeds).
"""
from __future__ import annotations

import argparse
import csv
import json
import random
import shutil
import statistics
import subprocess
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
ROWS = ["ft_sam", "ablation_1", "ablation_2", "hsp_sam", "ablation_4", "ablation_5"]
SETS = {
    "skin-lesion": {"label": "lesion", "encoder": "nuclei", "windowing": "color", "augment": "preset: dermoscopy"},
    "nuclei": {
        "label": "nucleus", "encoder": "skin-lesion", "windowing": "percentile",
        "augment": "scale: [1.5, 3.5], gain: [0.7, 1.4]"},
}
PLAN = """\
model:
  size: vit_t
  configuration: {row}
  stem: conv
  input_size: 256
  segments: 1
  segment_labels: [{label}]
  encoder_from: {encoder}
{prompts}
windowing: {{mode: {windowing}}}
data: [{{folder: {folder}, list: {list}, split: train}}]
stages: [{{input_size: 256, epochs: {epochs}, until: {steps}, batch: {batch}, learning_rate: {rate}}}]
optimiser: {{weight_decay: 0.1, warmup: {warmup}, schedule: cosine, clip_norm: 1}}
augment: {{{augment}}}
seed: {seed}
"""


def cases(options: argparse.Namespace) -> list[tuple[str, str, int, int]]:
    """Set, row, prompts and seed of every run; the seeds outermost, so that what there is after a while is a whole table."""
    wanted = [(row, 1) for row in ROWS] + [("hsp_sam", prompts) for prompts in options.prompts if prompts != 1]
    return [(name, row, prompts, seed) for seed in options.seeds for row, prompts in wanted for name, _ in options.sets]


def run(case: tuple[str, str, int, int], options: argparse.Namespace) -> Path:
    name, row, prompts, seed = case
    about, folder = SETS[name], dict(options.sets)[name]
    split = ROOT / "pipelines" / name / "split.csv"
    out = options.folder / f"{name}-{row}-{prompts}-{seed}"
    figures = out / f"{options.split}.csv"
    if figures.exists():
        return figures
    if not (out / "model/SHA256SUMS").exists():
        shutil.rmtree(out, ignore_errors=True)
        out.mkdir(parents=True)
        with split.open() as lines:
            images = sum(line["split"] == "train" for line in csv.DictReader(lines))
        has_prompts = row not in ("ft_sam", "ablation_4", "ablation_5")
        (out / "train.yaml").write_text(PLAN.format(
            row=row, label=about["label"], encoder=ROOT / "pipelines" / about["encoder"] / "model",
            prompts=f"  prompts: {prompts}" if has_prompts else "", windowing=about["windowing"], folder=folder, list=split,
            epochs=options.steps * options.batch / images * 1.001, steps=options.steps, batch=options.batch,
            rate=f"{options.rate:.6f}", warmup=options.steps // 10, augment=about["augment"], seed=seed))
        start = time.perf_counter()
        ended = subprocess.run([options.program, "train", "--config", out / "train.yaml", "--out", out / "model"],
                               stdout=subprocess.DEVNULL)
        # 3 with a model: it finds nothing, which is a figure too.
        if ended.returncode not in (0, 3) or not (out / "model/SHA256SUMS").exists():
            ended.check_returncode()
        (out / "seconds").write_text(f"{time.perf_counter() - start:.1f}\n")
        for state in ("checkpoint.safetensors", "best.safetensors"):
            (out / "model" / state).unlink(missing_ok=True)
    subprocess.run([options.program, "evaluate", "--model", out / "model", "--folder", folder, "--list", split,
                    "--split", options.split, "--csv", figures], check=True, stdout=subprocess.DEVNULL)
    return figures


def read(path: Path) -> dict[str, list[float]]:
    """Dice and Hausdorff distance of every image, and the three counts of which a pooled Dice is made."""
    keys = ("dice", "hd", "true_positive", "false_positive", "false_negative")
    with path.open() as lines:
        rows = sorted(csv.DictReader(lines), key=lambda row: row["name"])
    return {key: [float(row[key]) for row in rows] for key in keys}


def pooled(figures: dict[str, list[float]]) -> float:
    hit, over, under = (sum(figures[key]) for key in ("true_positive", "false_positive", "false_negative"))
    return 2 * hit / (2 * hit + over + under)


def mean_by_image(runs: list[dict[str, list[float]]]) -> list[float]:
    return [statistics.fmean(values) for values in zip(*(run["dice"] for run in runs), strict=True)]


def interval(differences: list[float]) -> tuple[float, float]:
    draw = random.Random(1)
    means = sorted(statistics.fmean(draw.choices(differences, k=len(differences))) for _ in range(2000))
    return means[49], means[1949]


def over_seeds(values: list[float], decimals: int) -> str:
    deviation = f" ({statistics.stdev(values):.{decimals}f})" if len(values) > 1 else ""
    return f"{statistics.fmean(values):.{decimals}f}{deviation}"


def table(name: str, found: dict[tuple[str, int], list[dict[str, list[float]]]]) -> str:
    reference = mean_by_image(found["hsp_sam", 1])
    lines = [f"\n{name}\n", "| configuration | prompts | seeds | Dice, per image | Dice, pooled | HD, pixels | to hsp_sam |",
             "|---|---|---|---|---|---|---|"]
    for (row, prompts), runs in found.items():
        low, high = interval([a - b for a, b in zip(mean_by_image(runs), reference, strict=True)])
        difference = "" if (row, prompts) == ("hsp_sam", 1) else f"[{low:+.4f}, {high:+.4f}]"
        has_prompts = row not in ("ft_sam", "ablation_4", "ablation_5")
        lines.append(
            f"| `{row}` | {prompts if has_prompts else '–'} | {len(runs)} "
            f"| {over_seeds([statistics.fmean(run['dice']) for run in runs], 4)} "
            f"| {over_seeds([pooled(run) for run in runs], 4)} "
            f"| {over_seeds([statistics.fmean(run['hd']) for run in runs], 1)} | {difference} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--set", dest="sets", action="append", required=True, metavar="NAME=FOLDER",
                        type=lambda text: tuple(text.split("=", 1)), help=f"one of {', '.join(SETS)}")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--prompts", type=int, nargs="+", default=[1, 2, 4, 8, 16])
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--rate", type=float, default=5e-4)
    parser.add_argument("--split", default="val", help="the split that is measured")
    options = parser.parse_args()
    for name, _ in options.sets:
        if name not in SETS:
            raise SystemExit(f"--set {name}: unknown. It is one of {', '.join(SETS)}.")
    found: dict[str, dict[tuple[str, int], list[dict[str, list[float]]]]] = {}
    for case in cases(options):
        name, row, prompts, _ = case
        start = time.perf_counter()
        figures = read(run(case, options))
        found.setdefault(name, {}).setdefault((row, prompts), []).append(figures)
        print(json.dumps({"run": case, "dice": round(statistics.fmean(figures["dice"]), 4),
                          "seconds": round(time.perf_counter() - start, 1)}), flush=True)
    for name, rows in found.items():
        print(table(name, rows))


if __name__ == "__main__":
    main()
