# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Train a small network on a dataset: from one image to where the best usable grasp's palm is before the camera.

    graspd generate --object mug --scenes 32 --views 4 --mono --camera.width 160 --camera.height 120 --out mugs
    pip install torch
    python examples/04_train_a_network.py mugs [SECONDS]

Prints the loss, which falls, and how far the predicted palms are off on the images of training [mm].
"""

import sys
import time

import torch
from torch import nn

import omni_graspd as gd


def main(folder: str, seconds: float = 60.0) -> None:
    """Train for so long."""
    torch.manual_seed(0)
    views = gd.open(folder).as_torch(channels=("rgb",), grasp_slots=64)
    eye = next(name for name in views[0] if name.endswith("/rgb"))
    loader = torch.utils.data.DataLoader(views, batch_size=16, shuffle=True, num_workers=2, persistent_workers=True)
    layers = [nn.LazyConv2d(width, 3, stride=2, padding=1) for width in (16, 32, 64, 64)]
    network = nn.Sequential(*(part for layer in layers for part in (layer, nn.ReLU())), nn.Flatten(), nn.LazyLinear(3))
    optimizer, begin = None, time.time()
    while time.time() - begin < seconds:
        losses, distances = [], []
        for batch in loader:
            best = torch.where(batch.get("usable", batch["grasp_mask"]), batch["epsilon"], -1.0).argmax(dim=1)
            palm = batch["T_camera_palm"][torch.arange(len(best)), best, :3]
            offset = network(batch[eye][..., :3].permute(0, 3, 1, 2) / 255.0) - palm
            loss = 100.0 * offset.square().sum(dim=1).mean()
            optimizer = optimizer or torch.optim.Adam(network.parameters(), lr=1e-3)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
            distances += offset.norm(dim=1).tolist()
        print(f"loss {sum(losses) / len(losses):.3f}, {1e3 * sum(distances) / len(distances):.0f} mm", flush=True)


if __name__ == "__main__":
    main(sys.argv[1], *map(float, sys.argv[2:]))
