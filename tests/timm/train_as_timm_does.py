"""A training script in the manner of timm's train.py: it knows timm alone, and tells what it did as JSON."""

import argparse
import json

import neighbour_of_a_script
import timm
import torch
from PIL import Image
from timm.data import create_transform, resolve_data_config
from timm.loss import LabelSmoothingCrossEntropy
from timm.models import model_parameters, resolve_model_input_args
from timm.optim import create_optimizer_v2, optimizer_kwargs
from timm.scheduler import create_scheduler_v2
from timm.utils import ModelEmaV3, NativeScaler, ParseKwargs, accuracy

parser = argparse.ArgumentParser()
parser.add_argument("--model", required=True)
parser.add_argument("--num-classes", type=int)
parser.add_argument("--input-size", type=int, nargs=3)
parser.add_argument("--drop-path", type=float)
parser.add_argument("--model-kwargs", nargs="*", default={}, action=ParseKwargs)
parser.add_argument("--grad-checkpointing", action="store_true")
parser.add_argument("--torchscript", action="store_true")
parser.set_defaults(opt="adamw", weight_decay=0.05, lr=1e-3, momentum=0.9, layer_decay=0.75)
args = parser.parse_args()

torch.manual_seed(0)
torch.set_num_threads(1)
arguments = dict(
    num_classes=args.num_classes, drop_path_rate=args.drop_path, scriptable=args.torchscript, **args.model_kwargs
)
model = timm.create_model(**resolve_model_input_args(args.model, vars(args), **arguments))
if args.grad_checkpointing:
    model.set_grad_checkpointing(enable=True)
data = resolve_data_config(vars(args), model=model)
transform = create_transform(**data, is_training=True)
image = Image.effect_noise((80, 60), 50).convert("RGB" if data["input_size"][0] == 3 else "L")
images = torch.stack([transform(image) for _ in range(4)])
labels = torch.arange(4) % model.num_classes

average = ModelEmaV3(model, decay=0.9)
optimizer = create_optimizer_v2(model, **optimizer_kwargs(cfg=args))
scheduler, epochs = create_scheduler_v2(optimizer, sched="cosine", num_epochs=2, warmup_epochs=1)
scaler, loss_of = NativeScaler(device="cpu"), LabelSmoothingCrossEntropy()
losses = []
for epoch in range(epochs):
    model.train()
    scheduler.step(epoch)
    loss = loss_of(model(images), labels)
    optimizer.zero_grad()
    scaler(loss, optimizer, clip_grad=1.0, parameters=model_parameters(model, exclude_head=False))
    average.update(model, step=epoch)
    losses.append(loss.item())

if args.torchscript:
    model = torch.jit.script(model)
model.eval()
with torch.inference_mode():
    first, fifth = accuracy(model(images), labels, topk=(1, 5))
told = {
    "name": __name__,
    "neighbour": neighbour_of_a_script.WORD,
    "input_size": data["input_size"],
    "classes": args.num_classes,
    "losses": losses,
    "scales": len({group["lr_scale"] for group in optimizer.param_groups}),
    "accuracy": [first.item(), fifth.item()],
}
print(json.dumps(told))
