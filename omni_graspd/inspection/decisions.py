# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""What a person decided about grasps: accepted, rejected, mended; with undo, kept in a file beside the dataset."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from omni_graspd.atomic import atomic_path, writing_to
from omni_graspd.dataset.manifest import Manifest
from omni_graspd.errors import GraspdError

Verdict = Literal["accepted", "rejected"]
GraspKey = tuple[str, str, int]
"""Hand, object and number of a grasp."""

_VERSION = 1


@dataclass(frozen=True)
class MendedGrasp:
    """A pose that takes the place of the one in the table."""

    T_object_palm: tuple[float, ...]
    """Pose of the palm in the object frame, 7 numbers."""
    joint_positions: tuple[float, ...]
    """All joints [rad or m]."""
    score: float
    """Ranking score, small is good."""
    object: str = ""
    """File or name of the object that took the place of the dataset's; empty where it is the same."""


@dataclass(frozen=True)
class Decision:
    """What was decided about one grasp."""

    verdict: Verdict
    """Accepted or rejected."""
    mended: MendedGrasp | None = None
    """The pose that was accepted, where that is not the one in the table."""


def decisions_path(root: Path) -> Path:
    """Return where the decisions about a dataset are kept: beside its folder, so that they outlive it."""
    root = root.resolve()
    return root.with_name(f"{root.name}.decisions.json")


def dataset_identity(manifest: Manifest, tables: Iterable[Path] = ()) -> str:
    """Return a hash by which a dataset is known again: its settings, hands and objects, not counts or metrics.

    Args:
        manifest: Its manifest.
        tables: Tables whose content counts, too.
    """
    content = [
        manifest.config,
        *({n: asdict(a) for n, a in part.items()} for part in (manifest.hands, manifest.objects)),
    ]
    identity = hashlib.sha256(json.dumps(content, sort_keys=True).encode())
    for table in tables:
        identity.update(table.read_bytes())
    return identity.hexdigest()


class Decisions:
    """Decisions about one dataset. Each change is written at once, all or nothing, and can be undone."""

    def __init__(self, path: Path, identity: str) -> None:
        """Read the decisions made so far; none if there is no file.

        Args:
            path: The file.
            identity: Of the dataset, see :func:`dataset_identity`.

        Raises:
            GraspdError: If the file is damaged, or belongs to another dataset.
        """
        self.path, self._identity = path, identity
        self._undo: list[tuple[GraspKey, Decision | None]] = []
        self._decided = self._load()

    def __len__(self) -> int:
        """Return how many grasps are decided."""
        return len(self._decided)

    def get(self, key: GraspKey) -> Decision | None:
        """Return what was decided about a grasp; None where nothing was."""
        return self._decided.get(key)

    def items(self) -> list[tuple[GraspKey, Decision]]:
        """Return all decisions, by hand, object and number."""
        return sorted(self._decided.items())

    def decide(self, key: GraspKey, decision: Decision | None) -> None:
        """Set or take back a decision, and write it.

        Raises:
            GraspdError: If the file cannot be written; nothing is changed then.
        """
        before = self._replace(key, decision)
        self._undo.append((key, before))

    def undo(self) -> GraspKey | None:
        """Take back the last change of this session; returns its grasp, None where there is none."""
        if not self._undo:
            return None
        key, before = self._undo[-1]
        self._replace(key, before)
        self._undo.pop()
        return key

    def _replace(self, key: GraspKey, decision: Decision | None) -> Decision | None:
        # Read anew: another page or process may have decided other grasps meanwhile.
        decided = self._load()
        before = decided.pop(key, None)
        if decision is not None:
            decided[key] = decision
        self._write(decided)
        self._decided = decided
        return before

    def _write(self, decided: dict[GraspKey, Decision]) -> None:
        rows = [
            {"hand": hand, "object": obj, "index": index, **asdict(decision)}
            for (hand, obj, index), decision in sorted(decided.items())
        ]
        lines = ",\n".join(f"  {json.dumps(row)}" for row in rows)
        header = json.dumps({"version": _VERSION, "dataset": self._identity})[:-1]
        with writing_to(self.path, resumes=False), atomic_path(self.path) as temporary:
            temporary.write_text(f'{header}, "decisions": [\n{lines}\n]}}\n', encoding="utf-8")

    def _load(self) -> dict[GraspKey, Decision]:
        if not self.path.is_file():
            return {}
        try:
            content = json.loads(self.path.read_text(encoding="utf-8"))
            decided = {(row["hand"], row["object"], row["index"]): _decision(row) for row in content["decisions"]}
            version, identity = content["version"], content["dataset"]
        except (json.JSONDecodeError, UnicodeDecodeError, KeyError, TypeError) as error:
            raise GraspdError(
                f"{self.path} does not hold decisions about grasps ({error!r}); move the file away"
            ) from error
        if (version, identity) != (_VERSION, self._identity):
            raise GraspdError(f"{self.path} holds decisions about another dataset; move the file away")
        return decided


def _decision(row: dict) -> Decision:
    mended = row.get("mended")
    if mended is not None:
        mended = MendedGrasp(
            tuple(map(float, mended["T_object_palm"])),
            tuple(map(float, mended["joint_positions"])),
            float(mended["score"]),
            str(mended["object"]),
        )
    if row["verdict"] not in ("accepted", "rejected"):
        raise KeyError(row["verdict"])
    return Decision(row["verdict"], mended)


def mended_grasp(T_object_palm: np.ndarray, joint_positions: np.ndarray, score: float, obj: str = "") -> MendedGrasp:
    """Make a mended grasp from arrays.

    Args:
        T_object_palm: Pose of the palm, shape [7].
        joint_positions: All joints [rad or m], shape [joint_count].
        score: Ranking score.
        obj: File or name of the object, where it is not the dataset's.
    """
    return MendedGrasp(tuple(T_object_palm.tolist()), tuple(joint_positions.tolist()), float(score), obj)
