# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""A picture whose part says that it has gigabytes: no such buffer is asked for."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import numpy as np
from PIL import Image

_BROKEN = "broken data stream when reading image file"
_READ = """
import resource, sys
from pathlib import Path
from PIL import Image, PngImagePlugin
import numpy as np
from omni_graspd.objects.texture_cache import open_image
from omni_graspd.rendering.channel_files import read_picture

pages = int(Path("/proc/self/statm").read_text().split()[0])
limit = pages * resource.getpagesize() + 2**30
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
path = Path(sys.argv[1])
print(open_image(path))
try:
    read_picture(path)
except ValueError as error:
    print(error, isinstance(error.__cause__, MemoryError))
"""


def test_no_more_is_asked_for_than_is_there(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    Image.fromarray(np.arange(32 * 24 * 4, dtype=np.uint8).reshape(24, 32, 4)).save(buffer, "PNG")
    data = bytearray(buffer.getvalue())
    at = data.index(b"IDAT")
    data[at - 4 : at] = b"\xff\xff\xff\x34"
    data[at + 20] ^= 0xFF
    (tmp_path / "a.png").write_bytes(data)
    done = subprocess.run(
        [sys.executable, "-c", _READ, str(tmp_path / "a.png")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [_BROKEN, f"{_BROKEN} False"]
