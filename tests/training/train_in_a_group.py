"""Trains a small network, alone or as one of several processes, and keeps its final weights: FOLDER RECIPE_KNOBS (JSON).

The knob ``interrupted`` is the process that gets SIGTERM after the third step, ``within`` says whether in the step after it.
"""

import json
import signal
import sys
from pathlib import Path

import torch
from safetensors.torch import save_file
from small_trainings import design_of, drawn, recipe_of
from torch.nn.modules.module import register_module_forward_hook

from convlab import finished
from convlab.errors import ConvlabError
from convlab.language.turning import turn
from convlab.models.containers import ConvNet
from convlab.training.keeping.checkpoints import newest, read
from convlab.training.running.distributed import joined
from convlab.training.running.loop import train_one


def main(folder, knobs):
    torch.set_num_threads(1)
    design = turn(turn(design_of(), "drop_path", 0.0), "head.dropout", 0.0)
    with joined("cpu") as group:
        said = [
            group.any(group.rank == 1),
            group.shared(f"of {group.rank}"),
            group.mean(torch.tensor(group.rank)).item(),
        ]
        network = group.wrapped(torch.nn.Linear(2, 1))
        spread = []
        for last in (False, True):
            network.zero_grad()
            with group.accumulating(network, last=last):
                network(torch.full((1, 2), float(group.rank))).sum().backward()
            spread.append(network.parameters().__next__().grad[0, 0].item())
        interrupted, within, kept, passes = knobs.pop("interrupted", -1), knobs.pop("within", False), [], []

        def show(progress):
            if group.rank == interrupted and progress.done == 3 and not within:
                signal.raise_signal(signal.SIGTERM)

        def look(module, inputs, output):
            if isinstance(module, ConvNet) and module.training:
                passes.append(1)
                if group.rank == interrupted and len(passes) == 4 and within:
                    signal.raise_signal(signal.SIGTERM)

        register_module_forward_hook(look)
        data, place = drawn(), folder / "training"
        options = {"seed": 0, "folder": place, "group": group, "resume": True, "keep": kept.append, "show_s": 0.0}
        try:
            trained = finished(train_one(design, data, recipe_of(**knobs), **options), show)
        except ConvlabError as error:
            print(error)
            return
        told = {"said": said, "spread": spread, "loss": trained.validation_loss, "curve": len(trained.curve)}
        told |= {"world": group.world, "steps": trained.steps, "kept": len(kept), "stopped": trained.stopped}
        told |= {"checkpoint": trained.checkpoint.name}
        (folder / f"rank-{group.rank}.json").write_text(json.dumps(told))
        if group.first:
            checkpoint, _ = newest(folder / "training")
            save_file(read(checkpoint.path).tensors["model"], folder / "weights.safetensors")


if __name__ == "__main__":
    main(Path(sys.argv[1]), json.loads(sys.argv[2]))
