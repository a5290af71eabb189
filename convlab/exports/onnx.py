"""ONNX: the network as a graph that ONNX Runtime, TensorRT, OpenVINO and others run."""

from __future__ import annotations

import warnings
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from convlab.errors import ConvlabError, Problem
from convlab.exports.comparison import compare
from convlab.exports.origin import Origin, Steps, Written
from convlab.exports.targets import Target
from convlab.exports.tracing import BATCH, trace
from convlab.exports.transposes import without_spare_transposes
from convlab.weights.provenance import provenance

if TYPE_CHECKING:
    from torch import Tensor
    from torch.onnx import ONNXProgram

    from convlab.models import ConvNet

PACKAGES = ("onnx", "onnxruntime", "onnxscript")
INPUT, OUTPUT = "image", "logits"

LARGEST_FILE = 2**31 - 2**26
"""Bytes of weights that a single file takes beside its graph; more of them go to a second file, ``FILE.data``."""


def write(origin: Origin, target: Target) -> Steps:
    """Trace, translate, save, open in ONNX Runtime and compare. Input "image", output "logits", any batch size."""
    refuse_missing()
    target.refuse_occupied_file()
    yield "building the model"
    model, random = origin.build()
    split = sum(tensor.nbytes for tensor in model.state_dict().values()) > LARGEST_FILE
    data = target.beside(".data")
    if split:
        data.refuse_occupied_file()
    yield "tracing the model"
    program = _translate(model)
    program.model.metadata_props.update(provenance(origin.design, folded=origin.folded))
    program.model.graph.name = origin.design.name or origin.design.key
    with target.staged() as draft:
        yield "writing"
        program.save(draft, external_data=split)
        checks = yield from compare(model, _runner(draft), what=f"onnxruntime {_version()}")
    return Written((target.path, data.path) if split else (target.path,), checks, random)


def refuse_missing() -> None:
    """Raise ConvlabError where a package is missing that the format needs."""
    missing = [name for name in PACKAGES if find_spec(name) is None]
    if missing:
        are = "are" if len(missing) > 1 else "is"
        message = f"ONNX needs {', '.join(missing)}, which {are} not installed"
        raise ConvlabError(Problem("missing-package", message, help=f"pip install {' '.join(missing)}"), exit_code=2)


def _translate(model: ConvNet) -> ONNXProgram:
    import torch

    # With gradients torch takes another kernel for masked attention while it traces than while it translates, and the strides differ.
    program = trace(model.requires_grad_(False))
    with warnings.catch_warnings():
        # Folding norms into convolutions may overflow; what comes out is compared below.
        warnings.filterwarnings("ignore", category=RuntimeWarning, module="onnxscript")
        made = torch.onnx.export(
            program,
            dynamo=True,
            dynamic_shapes=({0: BATCH},),
            input_names=[INPUT],
            output_names=[OUTPUT],
            verbose=False,
        )
    assert made is not None
    without_spare_transposes(made.model)
    return made


def _runner(file: Path) -> Any:
    """The exported network as a function of a batch of images."""
    import onnxruntime
    import torch

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = torch.get_num_threads()
    session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])

    def run(images: Tensor) -> Tensor:
        return torch.from_numpy(session.run([OUTPUT], {INPUT: images.numpy()})[0])

    return run


def _version() -> str:
    import onnxruntime

    return str(onnxruntime.__version__)
