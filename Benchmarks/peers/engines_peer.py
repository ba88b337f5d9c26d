"""Times HSP-SAM's oracle in OpenVINO (float32, bfloat16, int8 by NNCF) or ONNX Runtime: the engines that a user of CPUs would choose.

Example: python Benchmarks/peers/engines_peer.py --engine openvino --precision int8 --vit vit_b --input-size 1024

The same work as `hspsam bench --what infer` of these options: random weights, LoRA absent, one image at a time. int8 is NNCF's
post-training quantisation for transformers with one random image; it says nothing of quality. The exported model is kept in
--cache, and each measurement is a process of its own, so that peak memory is that of inference. Prints one JSON object with the
keys of `hspsam bench --json`.
"""
from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy

HERE = Path(__file__).resolve().parent


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--engine", choices=["openvino", "onnxruntime"], default="openvino")
    parser.add_argument("--precision", choices=["fp32", "bf16", "int8"], default="fp32")
    parser.add_argument("--vit", default="vit_b")
    parser.add_argument("--input-size", type=int, default=1024)
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--cache", type=Path, default=Path("/tmp/hspsam-peers"))
    parser.add_argument("--export", action="store_true", help="only writes the model to the cache")
    parser.add_argument("--oracle", type=Path, default=Path(os.environ.get("HSPSAM_SHARED", "../shared"))
                        / "oracle/hspsam_oracle.py")
    return parser.parse_args()


def model_file(options: argparse.Namespace) -> Path:
    ending = "onnx" if options.engine == "onnxruntime" else "xml"
    kind = "int8" if options.precision == "int8" else "fp32"
    return options.cache / f"{options.vit}-{options.input_size}-{kind}.{ending}"


def exported(options: argparse.Namespace) -> Path:
    """The model's file; made by a process of its own when it is not there."""
    path = model_file(options)
    if not path.exists():
        options.cache.mkdir(parents=True, exist_ok=True)
        subprocess.run([sys.executable, __file__, *sys.argv[1:], "--export"], check=True, stdout=sys.stderr)
    return path


def export(options: argparse.Namespace, path: Path) -> None:
    import torch
    from pytorch_peer import fuse_attention, load_oracle

    torch.manual_seed(1)
    oracle = load_oracle(options.oracle)
    if options.engine == "openvino":
        fuse_attention(oracle)
    named = "scratch" if options.vit == "vit_t" else "ablation_3"
    config = oracle.Config(**{
        **oracle.SIZES[options.vit], **oracle.CONFIGURATIONS[named], "input_size": options.input_size,
        "stem": "conv" if options.vit == "vit_t" else "patch", "lora_rank": 0, "freeze_encoder": False})

    class Masks(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.network = oracle.HSPSAM(config)

        def forward(self, image):
            result = self.network(image)
            return result["logits_0"]

    model = Masks().eval()
    image = torch.randn(1, 3, options.input_size, options.input_size)
    if options.engine == "onnxruntime":
        torch.onnx.export(model, (image,), str(path), dynamo=False)
        return
    import openvino

    converted = openvino.convert_model(model, example_input=image, input=[image.shape])
    if options.precision == "int8":
        import nncf

        converted = nncf.quantize(converted, nncf.Dataset([image.numpy()]), model_type=nncf.ModelType.TRANSFORMER)
    openvino.save_model(converted, path, compress_to_fp16=False)


def prepared(options: argparse.Namespace, path: Path, threads: int) -> tuple[str, Callable[[numpy.ndarray], None]]:
    if options.engine == "onnxruntime":
        import onnxruntime

        settings = onnxruntime.SessionOptions()
        settings.intra_op_num_threads = threads
        session = onnxruntime.InferenceSession(str(path), settings, providers=["CPUExecutionProvider"])
        name = session.get_inputs()[0].name
        return f"ONNX Runtime {onnxruntime.__version__}", lambda image: session.run(None, {name: image}) and None
    import openvino

    hint = openvino.Type.bf16 if options.precision == "bf16" else openvino.Type.f32
    compiled = openvino.compile_model(path, "CPU", {
        "INFERENCE_PRECISION_HINT": hint, "INFERENCE_NUM_THREADS": threads, "PERFORMANCE_HINT": "LATENCY"})
    request = compiled.create_infer_request()
    return f"OpenVINO {openvino.__version__.split('-')[0]}", lambda image: request.infer([image]) and None


def main() -> None:
    options = arguments()
    if options.export:
        export(options, model_file(options))
        return
    path = exported(options)
    threads = options.threads or len(os.sched_getaffinity(0))
    start = time.perf_counter()
    engine, step = prepared(options, path, threads)
    load = time.perf_counter() - start
    image = numpy.random.default_rng(1).standard_normal(
        (1, 3, options.input_size, options.input_size)).astype(numpy.float32)
    step(image)
    seconds = []
    for _ in range(options.runs):
        start = time.perf_counter()
        step(image)
        seconds.append(time.perf_counter() - start)
    print(json.dumps({
        "engine": engine, "vit": options.vit, "what": "infer", "precision": options.precision,
        "input_size": options.input_size, "batch": 1, "threads": threads, "runs": options.runs,
        "seconds_min": min(seconds), "seconds_median": statistics.median(seconds), "seconds_max": max(seconds),
        "load_seconds": load, "peak_rss_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}))


if __name__ == "__main__":
    main()
