# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Couplings of MJCF: equalities of joints and fixed tendons, tendons that one actuator pulls; loops are refused."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from omni_graspd.errors import GraspdError
from omni_graspd.hands.importing.joint_relations import JointRelations

_NARROW = 0.15
"""A fixed tendon whose limits leave less than this part of the length that its joints could give it is a coupling."""
_STRAIGHT = 0.02
"""A polynomial is a line if it leaves one by less than this over the leader's range [rad or m]."""
_NUMBERS = 50


def joint_reference(model: Any, joint: int) -> float:
    """Return a joint's position where the file places its body, ``ref=`` [rad or m]."""
    return float(model.qpos0[model.jnt_qposadr[joint]])


class MjcfCouplings:
    """What the file says about which joint follows which."""

    def __init__(self, model: Any, joints: Mapping[int, str], bodies: Mapping[int, str], path: Path) -> None:
        """Read all equalities, tendons and actuators.

        Args:
            model: The compiled model.
            joints: Names of the hand's joints by their number in the model.
            bodies: Names of the hand's bodies by their number in the model.
            path: The file, for errors.

        Raises:
            GraspdError: If a coupling cannot be honoured; the message names the joints or bodies.
        """
        self._model, self._joints, self._bodies, self._path = model, joints, bodies, path
        self.relations = JointRelations(list(joints.values()), path)
        self._pulled = self._pulled_tendons()
        self._read_equalities()
        self._read_tendon_limits()
        self._read_pulls()

    def undriven(self) -> list[str]:
        """Return the free joints that no actuator moves, directly or through others; none if there is no actuator."""
        if not self._model.nu:
            return []
        driven = {self.relations.leader(name) for name in self._directly_driven()}
        for tendon in self._pulled:
            driven |= {self.relations.leader(self._joints[joint]) for joint, _ in self._wraps(tendon)}
        leaders = dict.fromkeys(self.relations.leader(name) for name in self._joints.values())
        return [name for name in leaders if name is not None and name not in driven]

    def _directly_driven(self) -> set[str]:
        import mujoco

        kinds = (int(mujoco.mjtTrn.mjTRN_JOINT), int(mujoco.mjtTrn.mjTRN_JOINTINPARENT))
        numbers = [
            int(self._model.actuator_trnid[k][0])
            for k in range(self._model.nu)
            if int(self._model.actuator_trntype[k]) in kinds
        ]
        return {self._joints[number] for number in numbers if number in self._joints}

    def _pulled_tendons(self) -> list[int]:
        """Return the fixed tendons of the hand that an actuator pulls."""
        import mujoco

        kinds, ids = self._model.actuator_trntype, self._model.actuator_trnid
        pulled = [int(ids[k][0]) for k in range(self._model.nu) if kinds[k] == mujoco.mjtTrn.mjTRN_TENDON]
        return [tendon for tendon in dict.fromkeys(pulled) if self._wraps(tendon)]

    def _wraps(self, tendon: int) -> list[tuple[int, float]]:
        """Return joints and coefficients of a fixed tendon of the hand; none for other tendons."""
        import mujoco

        model = self._model
        wraps = range(model.tendon_adr[tendon], model.tendon_adr[tendon] + model.tendon_num[tendon])
        if any(model.wrap_type[w] != mujoco.mjtWrap.mjWRAP_JOINT for w in wraps):
            return []
        found = [(int(model.wrap_objid[w]), float(model.wrap_prm[w])) for w in wraps]
        return found if all(joint in self._joints for joint, _ in found) else []

    def _read_equalities(self) -> None:
        import mujoco

        kinds, model = mujoco.mjtEq, self._model
        for k in range(model.neq):
            kind, name = int(model.eq_type[k]), self._equality_name(k)
            if not model.eq_active0[k]:
                continue
            if kind == kinds.mjEQ_JOINT:
                self._read_joint_equality(k, name)
            elif kind == kinds.mjEQ_TENDON:
                self._read_tendon_equality(k, name)
            elif kind in (kinds.mjEQ_CONNECT, kinds.mjEQ_WELD):
                self._check_no_loop(k, name)

    def _equality_name(self, index: int) -> str:
        return f"equality {self._model.equality(index).name or index}"

    def _read_joint_equality(self, index: int, name: str) -> None:
        first, second = int(self._model.eq_obj1id[index]), int(self._model.eq_obj2id[index])
        if first not in self._joints and second not in self._joints:
            return
        for joint in (first, second):
            if joint >= 0 and joint not in self._joints:
                raise GraspdError(
                    f"expected {name} of {self._path} to couple joints of one hand, got "
                    f"{self._model.jnt(joint).name!r}, which is in another tree; remove it"
                )
        coefficients = self._model.eq_data[index][:5]
        here = joint_reference(self._model, first)
        if second < 0:
            self.relations.add({self._joints[first]: 1.0}, here + float(coefficients[0]), name)
            return
        constant, factor = self._line(coefficients, first, second)
        constant += here - factor * joint_reference(self._model, second)
        terms = {self._joints[first]: 1.0, self._joints[second]: -factor}
        driven = self._directly_driven()
        # MuJoCo lets either side follow; what has the actuator leads.
        self.relations.add(dict(sorted(terms.items(), key=lambda item: item[0] in driven)), constant, name)

    def _line(self, coefficients: np.ndarray, follower: int, leader: int) -> tuple[float, float]:
        """Return constant and factor of a polynomial, of what joints are away from their ref=, that is a line.

        Raises:
            GraspdError: If it is none; the message has the line that comes nearest.
        """
        if not coefficients[2:].any():
            return float(coefficients[0]), float(coefficients[1])
        low, high = self._model.jnt_range[leader] if self._model.jnt_limited[leader] else (-np.pi, np.pi)
        at = np.linspace(low, high, _NUMBERS) - joint_reference(self._model, leader)
        values = np.polynomial.polynomial.polyval(at, coefficients)
        factor, constant = np.polyfit(at, values, 1)
        error = float(np.abs(constant + factor * at - values).max())
        if error > _STRAIGHT:
            raise GraspdError(
                f"expected joint {self._joints[follower]!r} of {self._path} to follow {self._joints[leader]!r} by a "
                f"line, got polycoef {' '.join(f'{value:g}' for value in coefficients)}; the nearest line, polycoef "
                f'"{constant:.4g} {factor:.4g} 0 0 0", is off by up to {error:.2g} rad: write it if that will do'
            )
        return float(constant), float(factor)

    def _read_tendon_equality(self, index: int, name: str) -> None:
        model = self._model
        tendons = [int(model.eq_obj1id[index]), int(model.eq_obj2id[index])]
        coefficients = model.eq_data[index][:5]
        terms: dict[str, float] = {}
        constant = float(coefficients[0])
        for tendon, factor in zip(tendons, (1.0, -float(coefficients[1])), strict=True):
            if tendon < 0:
                continue
            wraps = self._wraps(tendon)
            if not wraps or (tendons[1] >= 0 and coefficients[2:].any()):
                raise GraspdError(
                    f"expected {name} of {self._path} to be linear in joints of the hand, got the tendon "
                    f"{model.tendon(tendon).name!r}, which is not; replace it by equalities of joints"
                )
            for joint, coefficient in wraps:
                terms[self._joints[joint]] = terms.get(self._joints[joint], 0.0) + factor * coefficient
                constant += factor * coefficient * joint_reference(model, joint)
        self.relations.add(self._outer_first(terms), constant, name)

    def _read_tendon_limits(self) -> None:
        model = self._model
        for tendon in range(model.ntendon):
            wraps = self._wraps(tendon)
            if not model.tendon_limited[tendon] or not wraps or tendon in self._pulled:
                continue
            low, high = (float(value) for value in model.tendon_range[tendon])
            ends = np.array([np.sort(coefficient * model.jnt_range[joint]) for joint, coefficient in wraps]).sum(axis=0)
            if low <= ends[0] and high >= ends[1]:
                continue
            name = f"limits of tendon {model.tendon(tendon).name or tendon}"
            if high - low > _NARROW * (ends[1] - ends[0]):
                joints = ", ".join(self._joints[joint] for joint, _ in wraps)
                raise GraspdError(
                    f"expected tendons of {self._path} to couple joints or leave them alone, got {name}, which keep "
                    f"{joints} within {low:g} to {high:g}; narrow them to a coupling, or remove them"
                )
            terms = {self._joints[joint]: coefficient for joint, coefficient in wraps}
            self.relations.add(self._outer_first(terms), 0.5 * (low + high), name)

    def _outer_first(self, terms: dict[str, float]) -> dict[str, float]:
        """Order joints so that what follows comes first: without an actuator of its own, then farther from the palm."""
        driven, order = self._directly_driven(), list(self._joints.values())
        return dict(sorted(terms.items(), key=lambda item: (item[0] in driven, -order.index(item[0]))))

    def _read_pulls(self) -> None:
        """Share a pulled tendon's length among its joints in proportion to their coefficients, as equal springs would.

        Joints that equalities tie together, or that have an actuator of their own, are left as they are.
        """
        driven = self._directly_driven()
        for tendon in self._pulled:
            (lead, unit), *others = self._wraps(tendon)
            first = self._joints[lead]
            for joint, coefficient in others:
                name, factor = self._joints[joint], coefficient / unit
                tied = self.relations.leader(name) == self.relations.leader(first)
                if not tied and name not in driven:
                    rest = joint_reference(self._model, joint) - factor * joint_reference(self._model, lead)
                    terms = {name: 1.0, first: -factor}
                    self.relations.add(terms, rest, f"tendon {self._model.tendon(tendon).name or tendon}")

    def _check_no_loop(self, index: int, name: str) -> None:
        import mujoco

        model = self._model
        ends = [int(model.eq_obj1id[index]), int(model.eq_obj2id[index])]
        if int(model.eq_objtype[index]) == mujoco.mjtObj.mjOBJ_SITE:
            ends = [int(model.site_bodyid[site]) for site in ends]
        first, second = (self._bodies.get(body) for body in ends)
        if first is not None and second is not None and model.body_weldid[ends[0]] != model.body_weldid[ends[1]]:
            raise GraspdError(
                f"expected a tree of joints in {self._path}, got {name}, which closes a loop between {first} and "
                f"{second}; replace it by equalities of joints (<joint joint1= joint2= polycoef=>)"
            )
