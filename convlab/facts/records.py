"""What a row of each table of published figures is: a frozen record a table, its fields in the order of the columns."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RoadmapStep:
    """One step of the walk from ResNet-50 to ConvNeXt-T: the design after it, its accuracy and its cost.

    `gmacs` and `macs` count the multiply-adds of convolutions and linear layers (for Swin-T also of attention) at
    224 px; `printed_gmacs` and `figure_gmacs` are what the paper's Table 10 and Figure 2 print.
    """

    regime: str
    order: int
    group: str
    step: str
    adopted: str | None
    top1: float
    top1_std: float | None
    printed_gmacs: float
    figure_gmacs: float | None
    gmacs: float
    agrees_with_print: bool | None
    macs: int | None
    params: int
    depths: tuple[int, ...] | None
    widths: str | None
    stem: str | None
    block: str | None
    kernel_size: int | None
    groups: str | None
    activation: str | None
    norm: str | None
    norms_per_block: int | None
    activation_calls_per_block: int | None
    convolutions: int | None
    batch_norms: int | None
    layer_norms: int | None
    activation_calls: int | None
    downsample: str | None
    source: str
    design_source: str | None
    note: str | None


@dataclass(frozen=True, slots=True)
class PublishedModel:
    """One published model at one image size and pre-training.

    `printed_` fields are as the source prints them; `params` and `gmacs` are exact counts of the network
    (convolutions, linear layers and attention products). `images_per_second` belongs to `device`.
    """

    model: str
    family: str
    pretraining: str
    image_size: int
    printed_params_millions: float | None
    params: int | None
    printed_gmacs: float | None
    gmacs: float | None
    images_per_second: float | None
    device: str | None
    top1: float
    source: str
    note: str | None


@dataclass(frozen=True, slots=True)
class TimmCost:
    """One timm model at one image size: costs by fvcore's conventions, and throughput on two GPUs under AMP."""

    model: str
    family: str
    image_size: int
    is_default_size: bool
    printed_params_millions: float
    params: int
    gmacs: float
    activations_millions: float
    rtx5090_images_per_second: float
    rtx3090_images_per_second: float | None
    rtx3090_training_images_per_second: float | None
    best_top1: float | None
    best_tag: str | None
    source: str


@dataclass(frozen=True, slots=True)
class DownstreamResult:
    """One backbone in detection, in segmentation, or in a measurement of training memory.

    `gmacs`, `params_millions` and `images_per_second` are those of the whole system, not of the backbone alone.
    """

    task: str
    framework: str
    backbone: str
    pretraining: str | None
    schedule: str | None
    input: str | None
    gmacs: float | None
    params_millions: float | None
    images_per_second: float | None
    device: str | None
    peak_training_gb: float | None
    box_ap: float | None
    box_ap50: float | None
    box_ap75: float | None
    mask_ap: float | None
    mask_ap50: float | None
    mask_ap75: float | None
    miou_multi_scale: float | None
    miou_single_scale: float | None
    source: str


@dataclass(frozen=True, slots=True)
class RobustnessResult:
    """One model on the shifted versions of ImageNet: errors for C (mCE) and C-bar, top-1 accuracy elsewhere."""

    model: str
    data_size: str
    gmacs: float
    params_millions: float
    top1: float
    imagenet_c_mce: float
    imagenet_cbar_error: float | None
    imagenet_a_top1: float
    imagenet_r_top1: float
    imagenet_sketch_top1: float
    source: str
