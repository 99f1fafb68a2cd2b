# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The documentation: the site builds without a warning, notebooks run, and what it names is there."""

from __future__ import annotations

import importlib
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from small_notebook import SMALL_CELL

_ROOT = Path(__file__).resolve().parents[1]
_NOTEBOOKS = sorted((_ROOT / "docs" / "notebooks").glob("*.ipynb"))


def test_functions_named_beside_equations_are_there():
    names = re.findall(r"`(omni_graspd\.[\w.]+)`", (_ROOT / "docs" / "equations.md").read_text(encoding="utf-8"))
    assert len(names) > 20
    for name in names:
        assert _find(name) is not None, name


def _find(name: str) -> object | None:
    """Import as much of a dotted name as is a module, and look up the rest."""
    parts = name.split(".")
    for count in range(len(parts), 0, -1):
        try:
            found: object = importlib.import_module(".".join(parts[:count]))
        except ModuleNotFoundError:
            continue
        for part in parts[count:]:
            found = getattr(found, part, None)
        return found
    return None


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_site_builds_without_a_warning(tmp_path):
    pytest.importorskip("mkdocs", reason="mkdocs is not installed: pip install '.[docs]'")
    call = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path / "site")]
    quiet = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    result = subprocess.run(call, cwd=_ROOT, capture_output=True, text=True, check=False, env=quiet)
    assert result.returncode == 0, result.stdout + result.stderr
    reference = (tmp_path / "site" / "reference" / "python" / "index.html").read_text(encoding="utf-8")
    assert "gd.synthesize" in reference
    assert "Palm poses in the object" in reference


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("notebook", _NOTEBOOKS, ids=[path.stem for path in _NOTEBOOKS])
def test_notebooks_run(notebook: Path, tmp_path):
    nbformat = pytest.importorskip("nbformat", reason="Jupyter is not installed: pip install '.[docs]'")
    nbclient = pytest.importorskip("nbclient", reason="Jupyter is not installed: pip install '.[docs]'")
    pytest.importorskip("ipykernel", reason="Jupyter is not installed: pip install '.[docs]'")
    if "gd.train(" in notebook.read_text(encoding="utf-8"):
        pytest.importorskip("torch", reason="PyTorch is not installed: pip install '.[predict]'")
    cells = nbformat.read(notebook, as_version=4)
    cells.cells.insert(0, nbformat.v4.new_code_cell(SMALL_CELL))
    nbclient.NotebookClient(
        cells, timeout=800, kernel_name="python3", resources={"metadata": {"path": tmp_path}}
    ).execute()
    shown = [output for cell in cells.cells if cell.cell_type == "code" for output in cell.outputs]
    assert any("image/png" in output.get("data", {}) for output in shown)
    assert not any(output.output_type == "error" for output in shown)
