# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Annotated stereo views of a scene of a dataset, with Isaac Sim's Python and without a window.

$ISAAC/python.sh examples/isaac/write_views.py SCENE.usda OUT [VIEWS]

SCENE.usda has a camera /World/Camera, or is one of a dataset, ``scenes/mug/scene_0000.usda``; two cameras of it are the
eyes of a stereo pair. The files go through one of Replicator's backends: put yours in its place, for example the one
for S3. Not yet run in Isaac Sim.
"""

from __future__ import annotations

import sys

from isaacsim import SimulationApp

CHANNELS = ("rgb", "distance_to_image_plane", "stereo_disparity", "instance_segmentation", "camera_params")


def main(app: SimulationApp, scene: str, out: str, views: int = 2) -> None:
    """Open the scene and write the views; between two of them, its lights get other strengths."""
    import omni.kit.app
    import omni.replicator.core as rep
    import omni.usd
    from pxr import UsdGeom, UsdLux

    manager = omni.kit.app.get_app().get_extension_manager()
    manager.set_extension_enabled_immediate("omni.graspd", True)
    context = omni.usd.get_context()
    context.open_stage(scene)
    while context.get_stage_loading_status()[2] > 0:
        app.update()
    stage = context.get_stage()
    cameras = [str(prim.GetPath()) for prim in stage.Traverse() if prim.IsA(UsdGeom.Camera)][:2]
    lights = [prim for prim in stage.Traverse() if prim.HasAPI(UsdLux.LightAPI)]
    rep.orchestrator.set_capture_on_play(False)
    rep.settings.set_render_pathtraced(samples_per_pixel=64)
    products = [rep.create.render_product(camera, (640, 480)) for camera in cameras]
    writer = rep.WriterRegistry.get("GraspdWriter")
    channels = CHANNELS if len(cameras) == 2 else tuple(name for name in CHANNELS if not name.startswith("stereo"))
    backend = rep.backends.get("DiskBackend")
    backend.initialize(output_dir=out)
    writer.initialize(backend=backend, annotators=channels)
    writer.attach(products)
    for view in range(views):
        for light in lights:
            UsdLux.LightAPI(light).CreateExposureAttr(0.5 * view)
        rep.orchestrator.step(rt_subframes=8, delta_time=0.0)
    rep.orchestrator.wait_until_complete()
    writer.on_final_frame()  # waits for the last files
    rep.orchestrator.wait_until_complete()  # the backend writes in threads of its own
    writer.detach()
    for product in products:
        product.destroy()
    print(f"{views} views of {len(cameras)} cameras in {out}")


if __name__ == "__main__":
    arguments, sys.argv[1:] = sys.argv[1:], []  # Kit would take them for its own
    app = SimulationApp({"headless": True})
    try:
        main(app, *arguments[:2], *map(int, arguments[2:3]))
    finally:
        app.close()
