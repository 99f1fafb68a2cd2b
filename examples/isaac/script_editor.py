# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Annotated views of your own scene, for Isaac Sim's Script Editor: paste it there and press Run.

A stage with a camera /World/Camera and semantic labels is open, and the extension omni.graspd is enabled. Before each
view, a graph of Replicator turns the camera's parent; put your own randomizers there. Not yet run in Isaac Sim.
"""

import asyncio

import omni.replicator.core as rep
import omni.usd

CAMERA = "/World/Camera"
OUT = "/tmp/graspd_views"
VIEWS = 4
CHANNELS = ("rgb", "distance_to_image_plane", "semantic_segmentation", "bounding_box_3d", "camera_params")


def randomize() -> None:
    """Author what is random, once: each event turns the camera's parent about Z. Add your rep.randomizer calls here."""
    parent = omni.usd.get_context().get_stage().GetPrimAtPath(CAMERA).GetParent().GetPath()
    with rep.trigger.on_custom_event(event_name="graspd_view"), rep.get.prim_at_path(str(parent)):
        rep.modify.pose(rotation=rep.distribution.uniform((0.0, 0.0, -180.0), (0.0, 0.0, 180.0)))


async def main() -> None:
    """Write the views."""
    rep.set_global_seed(0)
    rep.orchestrator.set_capture_on_play(False)
    randomize()
    product = rep.create.render_product(CAMERA, (640, 480))
    writer = rep.WriterRegistry.get("GraspdWriter")
    writer.initialize(output_dir=OUT, annotators=CHANNELS)
    writer.attach([product])
    for _ in range(VIEWS):
        rep.utils.send_og_event(event_name="graspd_view")
        await rep.orchestrator.step_async(rt_subframes=8, delta_time=0.0)
    await rep.orchestrator.wait_until_complete_async()
    writer.on_final_frame()  # waits for the last files
    writer.detach()
    product.destroy()
    print(f"{VIEWS} views in {OUT}")


running = asyncio.ensure_future(main())  # noqa: RUF006 the Script Editor keeps names
