"""ONNX Runtime and OpenVINO on CPUs: the files that they run, and how they run them."""

from __future__ import annotations

import tempfile
import time
import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, final

import torch
from peer_networks import made
from peer_processes import Candidate

import convlab
from convlab.measurement.running.alike import redrawn
from convlab.measurement.running.conditions import Conditions
from convlab.models.allocation import keep_memory


def export_ours(preset: str, image: tuple[int, int], folder: str) -> str:
    """The ONNX file of our folded network; the export itself compares its outputs with the network's."""
    design = convlab.turn(convlab.load(preset), "image.size", list(image))
    path = Path(folder) / f"{preset}.onnx"
    convlab.export(design, to="onnx", path=path, weights=redrawn(convlab.build(design)), folded=True)
    return str(path)


def export_theirs(source: str, image: tuple[int, int], folder: str) -> str:
    """The ONNX file of another package's network, as ``torch.onnx.export`` writes it."""
    warnings.simplefilter("ignore")
    found = made(source, image)
    path = str(Path(tempfile.mkdtemp(dir=folder)) / "network.onnx")
    images = torch.randn(2, *found.image)
    network = found.build().eval().requires_grad_(False)
    dynamic = ({0: torch.export.Dim("batch")},)
    program = torch.onnx.export(network, (images,), dynamo=True, dynamic_shapes=dynamic, verbose=False)
    assert program is not None
    program.save(path)
    return path


class _Session(ABC):
    """A network in a runtime, which takes a batch as an array."""

    parts = ("forward",)
    compile_s = 0.0

    def __init__(self, candidate: Candidate, conditions: Conditions):
        keep_memory()  # as torch's candidates do
        began = time.perf_counter()
        self._images = torch.randn(conditions.batch, 3, *candidate.image).numpy()
        self._predict = self._loaded(candidate.file, conditions)
        self.compile_s = time.perf_counter() - began

    def run(self, steps: int = 1) -> tuple[float, ...]:
        """Seconds of a forward pass, the mean over so many in a row."""
        began = time.perf_counter()
        for _ in range(steps):
            self._predict(self._images)
        return ((time.perf_counter() - began) / steps,)

    @abstractmethod
    def _loaded(self, file: str, conditions: Conditions) -> Callable[[Any], Any]:
        """The file as a function of a batch."""


@final
class OnnxRuntime(_Session):
    """ONNX Runtime with all of its optimisations."""

    def _loaded(self, file: str, conditions: Conditions) -> Callable[[Any], Any]:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        options.intra_op_num_threads = conditions.threads
        session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
        name = session.get_inputs()[0].name
        return lambda images: session.run(None, {name: images})


@final
class OpenVino(_Session):
    """OpenVINO for the least latency, in float32 (it takes bfloat16 by itself where the processor has it)."""

    def _loaded(self, file: str, conditions: Conditions) -> Callable[[Any], Any]:
        import openvino

        settings = {
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_PRECISION_HINT": "f32",
            "INFERENCE_NUM_THREADS": conditions.threads,
        }
        model = openvino.Core().compile_model(file, "CPU", settings)
        return lambda images: model([images])


RUNTIMES: Mapping[str, Callable[[Candidate, Conditions], _Session]] = {
    "ONNX Runtime": OnnxRuntime,
    "OpenVINO": OpenVino,
}
