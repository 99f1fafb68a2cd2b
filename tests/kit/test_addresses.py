# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Hands, objects and datasets given by addresses: copied by omni.client inside Kit, refused in one line outside."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import trimesh
from kit_stubs import Kit, skip_without
from pxr import Sdf, Usd, UsdGeom, UsdShade
from small_dataset import QUICK_OPTIONS

from omni_graspd.addresses import server_address
from omni_graspd.api.assets import load_hand
from omni_graspd.backend import local_asset
from omni_graspd.cli import main as cli
from omni_graspd.errors import GraspdError
from omni_graspd.hands.hand_library import load_hand as hand_by_name
from omni_graspd.library import resolve

_ROOT = "omniverse://host/Projects/grasp me"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("GRASPD_HOME", str(tmp_path / "home"))
    return tmp_path / "cache"


def _layer(text: str) -> bytes:
    layer = Sdf.Layer.CreateAnonymous(".usda")
    lines = text.replace(" }", "\n}")  # a closing brace stands on a line of its own
    assert layer.ImportFromString(f"#usda 1.0\n{lines}")
    return layer.ExportToString().encode()


def _put_asset(kit: Kit) -> None:
    """An object whose parts lie all over two servers."""
    files = {
        f"{_ROOT}/mug.usda": _layer(
            '(defaultPrim = "Mug"\nsubLayers = [@./looks/look.usda@])\n'
            'def Xform "Mug" (prepend references = @../shared/part.usda@) {\n'
            ' def Xform "far" (prepend payload = @https://other.host/lib/bolt.usda@) {}\n'
            ' def Shader "s" { asset inputs:file = @textures/wood.<UDIM>.png@\n'
            "  asset info:mdl:sourceAsset = @OmniPBR.mdl@ } }"
        ),
        f"{_ROOT}/looks/look.usda": _layer(f'over "Mug" {{ custom asset wood = @{_ROOT}/textures/plain.png@ }}'),
        f"{_ROOT}/textures/wood.1001.png": b"one",
        f"{_ROOT}/textures/wood.1002.png": b"two",
        f"{_ROOT}/textures/plain.png": b"plain",
        "omniverse://host/Projects/shared/part.usda": _layer(
            '(defaultPrim = "Part")\ndef Sphere "Part" { custom string note = "shared" }'
        ),
        "https://other.host/lib/bolt.usda": _layer(
            '(defaultPrim = "Bolt"\n subLayers = [@bolt_look.usda@])\ndef Cube "Bolt" {}'
        ),
        # It refers back to the one that refers to it.
        "https://other.host/lib/bolt_look.usda": _layer(
            'over "Bolt" (prepend references = @bolt.usda@</Nothing>) { double size = 3 }'
        ),
    }
    for address, content in files.items():
        kit.servers.put(address, content)


def test_an_asset_is_copied_with_all_that_it_refers_to(kit, cache):
    _put_asset(kit)
    path = Path(local_asset(f"{_ROOT}/mug.usda"))
    assert path.is_relative_to(cache) and path.name == "mug.usda"
    stage = Usd.Stage.Open(str(path))
    assert stage.GetPrimAtPath("/Mug").GetAttribute("note").Get() == "shared"
    assert stage.GetPrimAtPath("/Mug/far").GetAttribute("size").Get() == 3.0
    wood = stage.GetPrimAtPath("/Mug").GetAttribute("wood").Get()
    assert Path(wood.resolvedPath).read_bytes() == b"plain"
    assert sorted(each.name for each in (path.parent / "textures").iterdir()) == [
        "plain.png",
        "wood.1001.png",
        "wood.1002.png",
    ]
    shader = UsdShade.Shader(stage.GetPrimAtPath("/Mug/s"))
    assert shader.GetPrim().GetAttribute("info:mdl:sourceAsset").Get().path == "OmniPBR.mdl"
    assert all("://" not in layer.ExportToString() for layer in stage.GetUsedLayers())
    assert not list(cache.rglob(".partial-*"))


def test_a_mesh_comes_with_its_materials(kit):
    kit.servers.put("https://host/a/mug.obj", b"mtllib mug.mtl\nv 0 0 0\n")
    kit.servers.put("https://host/a/mug.mtl", b"newmtl m\nmap_Kd -s 1 1 1 tex/wood.png\n")
    kit.servers.put("https://host/a/tex/wood.png", b"wood")
    kit.servers.put("https://host/a/can.gltf", b'{"buffers": [{"uri": "can%20data.bin"}, {"uri": "data:,x"}]}')
    kit.servers.put("https://host/a/can%20data.bin", b"bin")
    folder = Path(local_asset("https://host/a/mug.obj")).parent
    assert (folder / "tex" / "wood.png").read_bytes() == b"wood"
    local_asset("https://host/a/can.gltf")
    assert (folder / "can data.bin").read_bytes() == b"bin"


def test_what_changed_on_the_server_is_copied_again(kit):
    _put_asset(kit)
    local_asset(f"{_ROOT}/mug.usda")
    part = "omniverse://host/Projects/shared/part.usda"
    kit.servers.put(part, _layer('(defaultPrim = "Part")\ndef Sphere "Part" { custom string note = "newer" }'))
    stage = Usd.Stage.Open(local_asset(f"{_ROOT}/mug.usda"))
    assert stage.GetPrimAtPath("/Mug").GetAttribute("note").Get() == "newer"


def test_a_missing_file_is_one_line(kit):
    with pytest.raises(GraspdError, match=r"^cannot copy omniverse://host/none\.usd: .*NOT_FOUND; check the address"):
        local_asset("omniverse://host/none.usd")


def test_a_missing_layer_is_named_with_the_one_that_refers_to_it(kit):
    _put_asset(kit)
    del kit.servers.files["https://other.host/lib/bolt_look.usda"]
    with pytest.raises(GraspdError, match=r"bolt_look\.usda, which https://other\.host/lib/bolt\.usda refers to"):
        local_asset(f"{_ROOT}/mug.usda")


def test_a_texture_that_nobody_may_read_is_left_out_with_a_warning(kit):
    _put_asset(kit)
    kit.servers.refused.add(f"{_ROOT}/textures/plain.png")
    path = Path(local_asset(f"{_ROOT}/mug.usda"))
    assert not (path.parent / "textures" / "plain.png").exists()
    assert any(level == "warn" and "plain.png was not copied" in text for level, text in kit.log)


def test_names_that_climb_out_of_a_server_stay_in_its_folder(kit, cache, tmp_path):
    kit.servers.put(
        "https://host/a.usda", _layer('def "A" { asset x = @../../../../stolen.png@\n asset y = @/etc/passwd@ }')
    )
    kit.servers.put("https://host/stolen.png", b"there")
    path = Path(local_asset("https://host/a.usda"))
    assert (path.parent / "stolen.png").read_bytes() == b"there"
    assert sorted(each.name for each in cache.rglob("*") if each.is_file()) == ["a.usda", "stolen.png"]
    stage = Usd.Stage.Open(str(path))
    assert Path(stage.GetPrimAtPath("/A").GetAttribute("x").Get().resolvedPath) == path.parent / "stolen.png"


def test_too_many_files_are_refused(kit, monkeypatch):
    from omni_graspd.kit import addresses

    _put_asset(kit)
    monkeypatch.setattr(addresses, "_MOST_FILES", 3)
    with pytest.raises(GraspdError, match="expected at most 3 files"):
        local_asset(f"{_ROOT}/mug.usda")


def test_something_else_than_usd_is_one_line(kit):
    kit.servers.put("https://host/page.usda", b"<html>sign in</html>")
    with pytest.raises(GraspdError, match=r"expected a readable USD file, got https://host/page\.usda"):
        local_asset("https://host/page.usda")


def test_a_hand_is_loaded_from_its_address(kit):
    source = hand_by_name("barrett").source
    kit.servers.put("https://host/hands/barrett.usda", source.read_bytes())
    hand = load_hand("https://host/hands/barrett.usda")
    assert hand.name == "barrett" and hand.source != source
    assert hand.joint_names == hand_by_name("barrett").joint_names


def test_files_go_to_a_server_and_come_back(kit, tmp_path):
    pafs = pytest.importorskip("pyarrow.fs")
    from omni_graspd.kit.client_files import open_client_store

    store, root = open_client_store("omniverse://host/set/")
    with store.open_output_stream(f"{root}/a/b.bin") as stream:
        stream.write(b"content")
    assert kit.servers.files == {"omniverse://host/set/a/b.bin": b"content"}
    listed = store.get_file_info(pafs.FileSelector(root, recursive=True))
    assert sorted((info.path.removeprefix(root), info.type.name, info.size) for info in listed) == [
        ("/a", "Directory", None),
        ("/a/b.bin", "File", 7),
    ]
    with store.open_input_stream(f"{root}/a/b.bin") as stream:
        assert stream.read() == b"content"
    store.delete_file(f"{root}/a/b.bin")
    assert kit.servers.files == {}
    assert store.get_file_info(f"{root}/a/b.bin").type == pafs.FileType.NotFound
    assert store.get_file_info(pafs.FileSelector(root, allow_not_found=True)) == []
    kit.servers.refused.add(f"{root}/c")
    with pytest.raises(OSError, match="ACCESS_DENIED"), store.open_output_stream(f"{root}/c") as stream:
        stream.write(b"x")


@pytest.mark.slow
def test_a_dataset_is_made_from_an_address_to_an_address_and_goes_on(kit, tmp_path, capsys):
    skip_without("ovphysx", "tyro", "manifold3d", "pyarrow")
    from omni_graspd.dataset.remote_folder import local_dataset
    from omni_graspd.kit.headless import run

    kit.physics.with_ovphysx = True
    trimesh.creation.box((0.05, 0.06, 0.07)).export(tmp_path / "block.ply")
    kit.servers.put("https://host/block.ply", (tmp_path / "block.ply").read_bytes())
    out = "omniverse://host/sets/block"
    options = ["--hand", "barrett", "--object", "https://host/block.ply", "--scenes", "1", "--views", "0"]
    options += [*QUICK_OPTIONS, "--out", out]
    assert kit.run(run([*options, "--grasps", "1"])) == 0, capsys.readouterr().err
    sent = set(kit.servers.files)
    assert {f"{out}/dataset.json", f"{out}/objects/block.usd", f"{out}/hands/barrett.usd"} <= sent
    # Another machine goes on from what is there.
    shutil.rmtree(tmp_path / "home")
    assert kit.run(run([*options, "--grasps", "2"])) == 0, capsys.readouterr().err
    assert local_dataset(out).is_dir()
    cli.main(["verify", str(local_dataset(out))])
    assert "nothing wrong" in capsys.readouterr().out


def test_a_server_that_refuses_a_dataset_is_one_line_and_keeps_the_work(kit, tmp_path, capsys):
    skip_without("ovphysx", "tyro", "manifold3d", "pyarrow")
    from omni_graspd.kit.headless import run

    kit.servers.refused.add("https://host/set")
    options = ["--hand", "barrett", "--object", "soup_can", *QUICK_OPTIONS, "--out", "https://host/set"]
    assert kit.run(run(options)) == 2
    error = capsys.readouterr().err
    assert "cannot reach https://host/set: " in error and len(error.splitlines()) == 1


@pytest.mark.parametrize("address", ["omniverse://host/mug.usd", "https://host/mug.usd?v=2"])
def test_outside_kit_an_asset_is_refused_with_the_way_to_copy_it(address):
    for load in (load_hand, local_asset, lambda text: resolve("objects", text)):
        with pytest.raises(GraspdError) as error:
            load(address)
        text = str(error.value)
        assert address in text and "inside Isaac Sim" in text and "Download" in text and "mug.usd" in text
        assert "\n" not in text


def test_outside_kit_the_command_line_says_it_in_one_line(capsys, tmp_path):
    pytest.importorskip("tyro")
    for arguments, said in (
        (
            ["generate", "--object", "omniverse://h/a.usd", "--out", str(tmp_path / "x")],
            "got the address omniverse://h/a",
        ),
        (["verify", "omniverse://h/set"], "got omniverse://h/set, which is reached only inside Isaac Sim"),
    ):
        with pytest.raises(SystemExit) as stop:
            cli.main(arguments)
        assert stop.value.code == 2
        assert said in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "x").exists()


def test_outside_kit_a_dataset_elsewhere_is_refused_before_anything_is_made(tmp_path, capsys, monkeypatch):
    pytest.importorskip("tyro")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit):
        cli.main(["generate", "--object", "soup_can", "--grasps", "1", "--out", "omniverse://host/set"])
    assert "use a local folder, and copy it there" in " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("omniverse://host/a.usd", "omniverse://host/a.usd"),
        (Path("omniverse://host/a.usd"), "omniverse://host/a.usd"),
        ("https://host/a", "https://host/a"),
        ("s3://bucket/a", None),
        ("mug", None),
        ("C:/a.usd", None),
        ("file:///a.usd", None),
    ],
)
def test_addresses_are_told_from_names_and_files(text, address):
    assert server_address(text) == address


def test_the_selection_of_a_stage_still_needs_no_address(kit):
    """What is selected is taken as composed; only what is typed is fetched."""
    UsdGeom.Cube.Define(kit.usd.stage, "/World/Box")
    assert local_asset("/World/Box.usda") == "/World/Box.usda"
