# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Datasets in an object store: made there, gone on with from elsewhere, read, checked. The server is moto's."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pyarrow.fs as pafs
import pytest
from dataset_bytes import dataset_digests
from small_dataset import small_config

from omni_graspd.cli import main as cli
from omni_graspd.dataset import loader
from omni_graspd.dataset.config import GenerateConfig
from omni_graspd.dataset.remote_folder import RemoteFolder, mirrored_dataset, remote_address
from omni_graspd.dataset.stages.pipeline import generate
from omni_graspd.errors import GraspdError

pytestmark = pytest.mark.slow  # starts a server

_OPTIONS = "scheme=http&region=us-east-1&allow_bucket_creation=true"


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[str]:
    """Address of a bucket of an S3 server on this machine."""
    pytest.importorskip("moto")
    command = [sys.executable, "-c", "from moto.server import main; main(['-p', '0', '-H', '127.0.0.1'])"]
    log = tmp_path_factory.mktemp("server") / "log"
    with log.open("w") as file:
        process = subprocess.Popen(command, stderr=file, stdout=file)
    end = time.monotonic() + 60.0
    while not (match := re.search(r"127\.0\.0\.1:(\d+)", log.read_text())):
        assert time.monotonic() < end
        time.sleep(0.05)
    port = match[1]
    address = f"s3://grasps/{{name}}?{_OPTIONS}&endpoint_override=127.0.0.1%3A{port}"
    with pytest.MonkeyPatch.context() as environment:
        _set_credentials(environment)
        store, _ = pafs.FileSystem.from_uri(address.format(name="any"))
        store.create_dir("grasps")
    yield address
    process.kill()
    process.wait()


@pytest.fixture(scope="module")
def config(tmp_path_factory) -> GenerateConfig:
    return small_config(tmp_path_factory.mktemp("bucket"))


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRASPD_HOME", str(tmp_path / "home"))
    _set_credentials(monkeypatch)


def _set_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("ACCESS_KEY_ID", "some"), ("SECRET_ACCESS_KEY", "thing"), ("EC2_METADATA_DISABLED", "true")):
        monkeypatch.setenv(f"AWS_{name}", value)


def _fetched(address: str, folder: Path) -> dict[str, str]:
    RemoteFolder.open(address, folder).pull()
    return dataset_digests(folder)


def _make(config: GenerateConfig, address: str, **more: object) -> None:
    asyncio.run(generate(replace(config, out=Path(address), **more)))


def test_a_dataset_in_a_bucket_has_the_bytes_of_a_local_one(
    config: GenerateConfig, server: str, tmp_path: Path
) -> None:
    address = server.format(name="whole")
    _make(config, address)
    asyncio.run(generate(replace(config, out=tmp_path / "local")))
    assert _fetched(address, tmp_path / "fetched") == dataset_digests(tmp_path / "local")
    dataset = loader.open(address)
    assert dataset.grasps("barrett", only_ok=False).num_rows == 2
    assert dataset.samples(hand="barrett")[0]["mono/rgb"].shape == (24, 32, 4)


def test_a_run_goes_on_on_another_machine_and_grows(
    config: GenerateConfig, server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = server.format(name="moved")
    _make(config, address, camera=replace(config.camera, views=0))
    monkeypatch.setenv("GRASPD_HOME", str(tmp_path / "another machine"))
    _make(config, address, grasps=4)
    asyncio.run(generate(replace(config, grasps=4, out=tmp_path / "local")))
    assert _fetched(address, tmp_path / "fetched") == dataset_digests(tmp_path / "local")
    # The first machine has an older copy, which gives way.
    monkeypatch.setenv("GRASPD_HOME", str(tmp_path / "home"))
    _make(config, address, grasps=4)
    assert _fetched(address, tmp_path / "fetched again") == dataset_digests(tmp_path / "local")


def test_nothing_is_sent_or_fetched_twice(config: GenerateConfig, server: str, tmp_path: Path) -> None:
    address = server.format(name="twice")
    _make(config, address, scenes=0, around="nothing")
    folder = RemoteFolder.open(address)
    with folder._reaching() as (store, root):
        before = store.get_file_info(f"{root}/dataset.json").mtime_ns
    local = {path: path.stat().st_mtime_ns for path in folder.local.rglob("*") if path.is_file()}
    time.sleep(1.1)  # S3 counts seconds
    folder.pull()
    folder.push()
    with folder._reaching() as (store, root):
        assert store.get_file_info(f"{root}/dataset.json").mtime_ns == before
    assert {path: path.stat().st_mtime_ns for path in folder.local.rglob("*") if path.is_file()} == local


def test_what_is_added_to_a_dataset_in_a_bucket_is_sent_there(
    config: GenerateConfig, server: str, tmp_path: Path
) -> None:
    address = server.format(name="added")
    _make(config, address, scenes=0, around="nothing")
    with mirrored_dataset(Path(address)) as root:
        (root / "reach").mkdir()
        (root / "reach" / "new").write_text("table", encoding="utf-8")
    RemoteFolder.open(address, tmp_path / "fetched").pull()
    assert (tmp_path / "fetched" / "reach" / "new").read_text(encoding="utf-8") == "table"
    with mirrored_dataset(tmp_path) as root:
        assert root == tmp_path


def test_the_command_checks_a_dataset_in_a_bucket(
    config: GenerateConfig, server: str, capsys: pytest.CaptureFixture[str]
) -> None:
    address = server.format(name="checked")
    _make(config, address, scenes=0, around="nothing")
    cli.main(["verify", address])
    assert "nothing wrong" in capsys.readouterr().out
    cli.main(["info", address])
    assert "2 grasps" in capsys.readouterr().out


def test_a_server_that_is_not_there_is_one_line_and_the_work_is_kept(config: GenerateConfig, tmp_path: Path) -> None:
    work = tmp_path / "work"
    address = f"s3://user:password@grasps/none?{_OPTIONS}&endpoint_override=127.0.0.1%3A9"
    with pytest.raises(GraspdError, match="cannot reach s3://grasps/none") as error:
        _make(config, address, work=work)
    assert "\n" not in str(error.value)
    assert "password" not in str(error.value)


def test_a_bucket_whose_names_lead_elsewhere_is_refused(server: str, tmp_path: Path) -> None:
    folder = RemoteFolder.open(server.format(name="bad"), tmp_path / "work" / "here")
    for name in ("../../stolen", "/etc/stolen", "a/../../b", "a\\..\\b"):
        with pytest.raises(GraspdError, match="leads elsewhere"):
            folder._inside(name)


def test_addresses_and_folders_are_told_apart() -> None:
    assert remote_address("s3://bucket/set") == "s3://bucket/set"
    assert remote_address(Path("s3://bucket/set")) == "s3://bucket/set"
    assert remote_address(Path("graspd_out")) is None
    assert remote_address("C:/data") is None
