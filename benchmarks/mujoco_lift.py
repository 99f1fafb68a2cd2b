# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Grasps from a table, judged by MuJoCo: the hand goes its way, squeezes and lifts, and the object must come along."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

import mujoco
import numpy as np
from scipy.spatial.transform import Rotation, Slerp

from omni_graspd.errors import GraspdError
from omni_graspd.hands.hand import Hand, Link
from omni_graspd.objects.rigid_object import RigidObject
from omni_graspd.scenes.grasp_tests.hand_colliders import hand_colliders
from omni_graspd.synthesis.grasp import GraspBatch
from omni_graspd.usd.meshes import TriangleMesh
from omni_graspd.usd.transforms import compose, invert, matrix_to_pose, pose_to_matrix, transform_points

# Who collides with whom: hand and object, hand and table, object and table; the hand not with itself.
_HAND, _OBJECT, _TABLE = {"contype": 1, "conaffinity": 4}, {"contype": 2, "conaffinity": 5}, {"contype": 4}
# How far convex pieces of an object may bulge out of it, and so into the table [m].
_BULGE = 0.01
_TOUCH_FORCE = 1e-3  # N


@dataclass(frozen=True, kw_only=True)
class LiftDrive:
    """Position drives of the joints; angles in radians."""

    stiffness: float = 5.0
    """Of revolute joints [N m/rad]."""
    damping: float = 0.1
    """Of revolute joints [N m s/rad]."""
    torque_limit: float = 3.0
    """Of revolute joints [N m]."""
    slide_stiffness: float = 1000.0
    """Of prismatic joints [N/m]."""
    slide_damping: float = 20.0
    """Of prismatic joints [N s/m]."""
    force_limit: float = 30.0
    """Of prismatic joints [N]."""
    armature: float = 2e-4
    """Rotor inertia of revolute joints [kg m2], for stability; those of real hands are of this size."""
    slide_armature: float = 0.05
    """Rotor mass of prismatic joints [kg]."""


@dataclass(frozen=True, kw_only=True)
class LiftProtocol:
    """What a lift test does, and what passes; the defaults are DexGraspBench's tabletop test."""

    time_step: float = 0.004
    """Length of a physics step [s]."""
    waypoints: int = 10
    """Targets per phase, evenly spaced."""
    steps: int = 10
    """Physics steps per target."""
    object_mass: float = 0.1
    """Mass that every object gets [kg]."""
    gravity: float = 10.0
    """Constant force down per object mass [m/s2]; the hand feels none."""
    friction: float = 0.6
    """Coulomb friction of all contacts."""
    torsional_friction: float = 0.02
    """Torsional friction [m]."""
    lift: float = 0.1
    """How far the palm goes up [m]."""
    shake_amplitude: float = 0.0
    """How far the palm swings in x and then in y after the lift [m]; 0: it does not."""
    shake_frequency: float = 4.0
    """How fast it swings [Hz]."""
    shake_duration: float = 1.0
    """How long it swings in each direction [s]."""
    weld_time: float = 0.02
    """Time constant of the weld that drags the palm along [s]; 0.02 is MuJoCo's default."""
    start_penetration: float = 0.01
    """Deepest penetration of the pregrasp into object or table that counts as a start [m]."""
    position_threshold: float = 0.05
    """How far the centre of mass may be from where the lift should have brought it [m]."""
    angle_threshold: float = float(np.radians(15.0))
    """How far the object may turn [rad]."""
    pushed_threshold: float = 0.03
    """An object that moves farther before the lift, and is not lifted, was pushed away [m]."""
    drive: LiftDrive | None = None
    """Drives; by default those of the benchmark for the hand, see :func:`drive_of`."""

    def hard(self) -> LiftProtocol:
        """Return the protocol with half the friction."""
        return replace(self, friction=self.friction / 2.0, torsional_friction=self.torsional_friction / 2.0)


DEXGRASPBENCH = LiftProtocol()
"""Chen et al., "BODex" and its benchmark DexGraspBench, 2024, with a hover posture on the way."""
OURS = LiftProtocol(
    waypoints=200,
    steps=1,
    lift=0.2,
    shake_amplitude=0.02,
    weld_time=0.01,
    angle_threshold=float(np.radians(30.0)),
)
"""Lift by 20 cm and shake. Targets move at every step: a stiff weld would turn coarse ones into blows."""


@dataclass(frozen=True)
class LiftOutcome:
    """What became of one grasp."""

    lifted: bool
    """Whether the object is up, and as upright as it was."""
    position_error: float
    """Distance of the centre of mass from start plus lift at the end [m]; NaN if the test did not run."""
    angle: float
    """How far the object has turned at the end [rad]; NaN if the test did not run."""
    moved_before_lift: float
    """How far the centre of mass moved until the end of the squeeze [m]; NaN if the test did not run."""
    reason: str
    """Empty if lifted; otherwise ``penetrates at the pregrasp``, ``pushed away``, ``slipped``, ``tilted``, ``no grasp``
    (numbers that are not finite) or ``unstable`` (the simulation blew up)."""
    touched_table: bool
    """Whether the hand pressed on the table at any time."""
    object_poses: np.ndarray | None = field(default=None, repr=False)
    """Poses of the object first and after each target, table top at z = 0, shape [target_count + 1, 7]; if recorded."""
    palm_poses: np.ndarray | None = field(default=None, repr=False)
    """Poses of the palm at the same times, same shape; if recorded."""


def drive_of(hand: Hand) -> LiftDrive:
    """Return the drives that DexGraspBench gives a hand, by its name."""
    name = hand.name.lower()
    if "shadow" in name:
        return LiftDrive(damping=0.05)
    if "allegro" in name:
        return LiftDrive(torque_limit=np.inf)
    return LiftDrive()


def lift_batch(
    hand: Hand,
    obj: RigidObject,
    pieces: Sequence[TriangleMesh],
    batch: GraspBatch,
    protocol: LiftProtocol = DEXGRASPBENCH,
    *,
    rows: Sequence[int] | None = None,
    threads: int = 2,
    record: bool = False,
) -> list[LiftOutcome]:
    """Test grasps of one object; results do not depend on the number of threads.

    Args:
        hand: The hand.
        obj: The object.
        pieces: Convex meshes that the object collides with, in its frame [m].
        batch: Grasps with postures and a way.
        protocol: The test.
        rows: Which grasps to test; by default all.
        threads: Grasps tested at a time.
        record: Keep the poses of object and palm.
    """
    test = MujocoLift(hand, obj, pieces, protocol)
    rows = range(len(batch.status)) if rows is None else rows
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(lambda row: test.lift(batch, row, record=record), rows))


class MujocoLift:
    """A hand over a table with an object in MuJoCo.

    The palm is dragged along by a weld to a body that moves as told. Actuated joints have position drives; a joint that
    follows one actuated joint is bound to it by an equality constraint; one that follows several has a drive of its own
    toward where they would have it. Links collide as in the hold test, but not with each other.
    """

    def __init__(
        self,
        hand: Hand,
        obj: RigidObject,
        object_pieces: Sequence[TriangleMesh],
        protocol: LiftProtocol = DEXGRASPBENCH,
    ) -> None:
        """Build the model."""
        self.hand, self.obj, self.protocol = hand, obj, protocol
        self.vertices = np.concatenate([piece.vertices for piece in object_pieces])
        drive = protocol.drive or drive_of(hand)
        spec = _new_spec(protocol)
        _add_hand(spec, hand, drive, protocol)
        self.driven = _add_drives(spec, hand, drive, [f"joint_{number}" for number in range(hand.joint_count)])
        _add_object(spec, obj, object_pieces, protocol)
        self.model = spec.compile()
        self.palm_body, self.object_body = self.model.body("link_0").id, self.model.body("object").id
        self.palm_qpos = self.model.joint("palm").qposadr[0]
        self.object_qpos = self.model.joint("object").qposadr[0]
        self.joint_qpos = np.array([self.model.joint(f"joint_{j}").qposadr[0] for j in range(hand.joint_count)])
        self.table = self.model.geom("table").id
        bodies = np.asarray(self.model.geom_bodyid)
        self.hand_geoms = (bodies != 0) & (bodies != self.object_body)

    def lift(self, batch: GraspBatch, row: int, *, record: bool = False) -> LiftOutcome:
        """Test one grasp; safe to call from several threads.

        Args:
            batch: Grasps with postures and a way.
            row: Which of them.
            record: Keep the poses of object and palm.

        Raises:
            GraspdError: If the batch has no postures or no way, or there is no table.
        """
        plan = plan_lift(self.hand, self.obj, self.vertices, batch, row, self.protocol)
        if plan is None:
            return LiftOutcome(False, np.nan, np.nan, np.nan, "no grasp", False)
        return _Run(self, plan, record).outcome()

    def place(self, plan: LiftPlan) -> mujoco.MjData:
        """Return the scene at the start of a plan."""
        data = mujoco.MjData(self.model)
        start = plan.T_world_object_start
        _set_pose(data.qpos, self.object_qpos, start)
        data.qpos[self.object_qpos : self.object_qpos + 3] = transform_points(start, self.obj.center_of_mass[None])[0]
        _set_pose(data.qpos, self.palm_qpos, plan.T_world_palm[0])
        data.qpos[self.joint_qpos] = plan.joints[0]
        data.xfrc_applied[self.object_body, 2] = -self.protocol.gravity * self.protocol.object_mass
        self.follow(data, plan, 0)
        mujoco.mj_forward(self.model, data)
        return data

    def follow(self, data: mujoco.MjData, plan: LiftPlan, index: int) -> None:
        """Set where all shall go: to a target of the plan."""
        self.steer(data, plan.T_world_palm[index], plan.joints[index])

    def steer(self, data: mujoco.MjData, T_world_palm: np.ndarray, joints: np.ndarray) -> None:
        """Set where palm and joints shall go."""
        data.mocap_pos[0], data.mocap_quat[0] = T_world_palm[:3], T_world_palm[[6, 3, 4, 5]]
        data.ctrl[:] = joints[self.driven]

    def palm_pose(self, data: mujoco.MjData) -> np.ndarray:
        """Return T_world_palm, shape [7]."""
        return _get_pose(data.qpos, self.palm_qpos)

    def object_pose(self, data: mujoco.MjData) -> np.ndarray:
        """Return T_world_object, shape [7]."""
        pose = _get_pose(data.qpos, self.object_qpos)
        pose[:3] -= Rotation.from_quat(pose[3:]).apply(self.obj.center_of_mass)
        return pose

    def render(self, path: Path | str, batch: GraspBatch, row: int, *, target: int = -1) -> bool:
        """Run the test of a grasp up to a target and write a picture of the scene.

        Args:
            path: Image file.
            batch: Grasps with postures and a way.
            row: Which of them; its numbers are finite.
            target: Index into the targets of :func:`plan_lift`: 0 is the pregrasp, -1 the end.

        Returns:
            Whether there is a GL context to draw with (environment variable MUJOCO_GL: egl or osmesa).
        """
        plan = plan_lift(self.hand, self.obj, self.vertices, batch, row, self.protocol)
        if plan is None:
            raise GraspdError(f"expected a grasp to draw, got numbers that are not finite in row {row}; choose another")
        run = _Run(self, plan, record=False)
        for index in range(1, range(len(plan.joints))[target] + 1):
            run.advance(index)
        return _draw(self.model, run.data, run.data.xpos[self.object_body], path)


@dataclass(frozen=True)
class LiftPlan:
    """Where palm and joints shall be, target after target; the first is the start. Table top at z = 0."""

    T_world_object_start: np.ndarray
    """Shape [7]; the centre of mass is over the origin."""
    T_world_palm: np.ndarray
    """Shape [target_count + 1, 7]."""
    joints: np.ndarray
    """Shape [target_count + 1, joint_count]."""
    steps: np.ndarray
    """Physics steps toward each target, shape [target_count + 1]; 0 for the start."""
    squeezed: int
    """Index of the last target before the lift."""
    displacement: np.ndarray
    """How far the lift carries the object, shape [3]."""


def plan_lift(
    hand: Hand, obj: RigidObject, vertices: np.ndarray, batch: GraspBatch, row: int, protocol: LiftProtocol
) -> LiftPlan | None:
    """Return the targets of a test: pregrasp, hover, grasp, squeeze, lift, shaking; None if numbers are not finite."""
    if batch.way is None or batch.postures is None:
        raise GraspdError("expected grasps with postures and a way, got some without; make them with a table")
    way, postures = batch.way, batch.postures
    palms = [postures.T_object_pregrasp_palm[row], way.T_object_hover_palm[row], batch.T_object_palm[row]]
    joints = [postures.pregrasp_joint_positions[row], batch.joint_positions[row], postures.squeeze_joint_positions[row]]
    plane, direction = way.table_plane[row], way.lift_direction[row]
    if not np.isfinite(np.concatenate([*palms, *joints, direction])).all():
        return None
    if not np.isfinite(plane).all():
        raise GraspdError(f"expected a table under grasp {row}, got none; make the grasps with a table")
    T_world_object = _stand(plane, obj.center_of_mass, vertices)
    pregrasp, hover, grasp = (compose(T_world_object, palm) for palm in palms)
    displacement = protocol.lift * (pose_to_matrix(T_world_object)[:3, :3] @ direction)
    lifted = grasp + np.append(displacement, np.zeros(4))
    keys = np.stack([pregrasp, hover, grasp, grasp, lifted])
    T_world_palm = _interpolate_poses(keys, protocol.waypoints)
    targets = _interpolate(np.stack([joints[0], joints[0], joints[1], joints[2], joints[2]]), protocol.waypoints)
    steps = np.full(len(targets), protocol.steps)
    steps[0] = 0
    shaken = _shake(lifted, protocol)
    return LiftPlan(
        T_world_object_start=T_world_object,
        T_world_palm=np.concatenate([T_world_palm, shaken]),
        joints=np.concatenate([targets, np.broadcast_to(targets[-1], (len(shaken), hand.joint_count))]),
        steps=np.concatenate([steps, np.ones(len(shaken), dtype=int)]),
        squeezed=3 * protocol.waypoints,
        displacement=displacement,
    )


class _Run:
    """One test as it goes on."""

    def __init__(self, test: MujocoLift, plan: LiftPlan, record: bool) -> None:
        self.test, self.plan, self.record = test, plan, record
        self.data = test.place(plan)
        self.touched = False
        self.poses: list[tuple[np.ndarray, np.ndarray]] = []

    def outcome(self) -> LiftOutcome:
        test, plan, protocol = self.test, self.plan, self.test.protocol
        if self._deepest() > protocol.start_penetration:
            return LiftOutcome(False, np.nan, np.nan, np.nan, "penetrates at the pregrasp", self._touches_table())
        start = self.data.xipos[test.object_body].copy()
        moved = 0.0
        self._note()
        for index in range(1, len(plan.joints)):
            self.advance(index)
            if index == plan.squeezed:
                moved = float(np.linalg.norm(self.data.xipos[test.object_body] - start))
        if any(warning.number for warning in self.data.warning):
            return LiftOutcome(False, np.nan, np.nan, moved, "unstable", self.touched)
        error = float(np.linalg.norm(self.data.xipos[test.object_body] - start - plan.displacement))
        turned = compose(invert(plan.T_world_object_start), test.object_pose(self.data))
        angle = float(Rotation.from_quat(turned[3:]).magnitude())
        reason = _reason(error, angle, moved, protocol)
        recorded = (np.array(column) for column in zip(*self.poses, strict=True)) if self.record else (None, None)
        return LiftOutcome(not reason, error, angle, moved, reason, self.touched, *recorded)

    def advance(self, index: int) -> None:
        self.test.follow(self.data, self.plan, index)
        for _ in range(self.plan.steps[index]):
            mujoco.mj_step(self.test.model, self.data)
            self.touched = self.touched or self._touches_table()
        self._note()

    def _note(self) -> None:
        if self.record:
            self.poses.append((self.test.object_pose(self.data), self.test.palm_pose(self.data)))

    def _hand_contacts(self) -> np.ndarray:
        return self.test.hand_geoms[self.data.contact.geom].any(axis=1)

    def _deepest(self) -> float:
        depths = -self.data.contact.dist[self._hand_contacts()]
        return float(depths.max(initial=0.0))

    def _touches_table(self) -> bool:
        contact = self.data.contact
        rows = np.flatnonzero(self._hand_contacts() & (contact.geom == self.test.table).any(axis=1))
        addresses = contact.efc_address[rows]
        # The first number of an elliptic contact is its normal force.
        return bool((self.data.efc_force[addresses[addresses >= 0]] > _TOUCH_FORCE).any())


def _draw(model: mujoco.MjModel, data: mujoco.MjData, center: np.ndarray, path: Path | str) -> bool:
    from PIL import Image

    try:
        renderer = mujoco.Renderer(model, 480, 640)
    except Exception:  # what is raised depends on which GL library is missing
        return False
    camera = mujoco.MjvCamera()
    camera.lookat[:] = center
    camera.distance, camera.azimuth, camera.elevation = 0.6, 135.0, -20.0
    renderer.update_scene(data, camera)
    Image.fromarray(renderer.render()).save(path)
    renderer.close()
    return True


def _reason(error: float, angle: float, moved: float, protocol: LiftProtocol) -> str:
    if error <= protocol.position_threshold and angle <= protocol.angle_threshold:
        return ""
    if moved > protocol.pushed_threshold:
        return "pushed away"
    return "slipped" if error > protocol.position_threshold else "tilted"


def _stand(plane: np.ndarray, center_of_mass: np.ndarray, vertices: np.ndarray) -> np.ndarray:
    """Return the pose in which the table top is z = 0 and the centre of mass over the origin, T_world_object [7].

    Convex pieces that bulge into the table a little would jump out of it; all is raised until they only touch.
    """
    normal = plane[:3] / np.linalg.norm(plane[:3])
    matrix = np.eye(4)
    matrix[:3, :3] = Rotation.align_vectors([[0.0, 0.0, 1.0]], normal[None])[0].as_matrix()
    bulge = np.clip(plane[3] - (vertices @ normal).min(), 0.0, _BULGE)
    matrix[:2, 3] = -(matrix[:3, :3] @ center_of_mass)[:2]
    matrix[2, 3] = bulge - plane[3]
    return matrix_to_pose(matrix)


def _interpolate(keys: np.ndarray, count: int) -> np.ndarray:
    """Return ``count`` rows from each key to the next, the first key before them."""
    times = np.arange((len(keys) - 1) * count + 1) / count
    return np.stack([np.interp(times, np.arange(len(keys)), column) for column in keys.T], axis=1)


def _interpolate_poses(keys: np.ndarray, count: int) -> np.ndarray:
    times = np.arange((len(keys) - 1) * count + 1) / count
    rotations = Slerp(np.arange(len(keys)), Rotation.from_quat(keys[:, 3:]))(times)
    return np.concatenate([_interpolate(keys[:, :3], count), rotations.as_quat()], axis=1)


def _shake(palm: np.ndarray, protocol: LiftProtocol) -> np.ndarray:
    """Return a target per physics step, shape [step_count, 7]; the swing grows for a period, and dies down in one."""
    if protocol.shake_amplitude == 0.0:
        return np.zeros((0, 7))
    times = protocol.time_step * np.arange(1, round(protocol.shake_duration / protocol.time_step) + 1)
    periods = protocol.shake_frequency * times
    swell = np.clip(np.minimum(periods, periods[-1] - periods), 0.0, 1.0)
    wave = protocol.shake_amplitude * swell * np.sin(2.0 * np.pi * periods)
    result = np.tile(palm, (2, len(times), 1))
    result[0, :, 0] += wave
    result[1, :, 1] += wave
    return result.reshape(-1, 7)


def _new_spec(protocol: LiftProtocol) -> mujoco.MjSpec:
    spec = mujoco.MjSpec()
    spec.compiler.degree = False
    spec.option.timestep = protocol.time_step
    spec.option.integrator = mujoco.mjtIntegrator.mjINT_IMPLICITFAST
    spec.option.cone = mujoco.mjtCone.mjCONE_ELLIPTIC
    spec.option.impratio = 10.0
    spec.option.noslip_iterations = 2
    spec.option.gravity = [0.0, 0.0, 0.0]
    spec.worldbody.add_geom(
        name="table", type=mujoco.mjtGeom.mjGEOM_PLANE, size=[1.0, 1.0, 0.1], **_surface(protocol), **_TABLE
    )
    spec.worldbody.add_light(pos=[0.5, -0.5, 1.5], dir=[-0.3, 0.3, -1.0])
    return spec


def _surface(protocol: LiftProtocol) -> dict:
    return {"friction": [protocol.friction, protocol.torsional_friction, 1e-4], "condim": 4}


def _add_object(spec, obj: RigidObject, pieces: Sequence[TriangleMesh], protocol: LiftProtocol) -> None:
    """Add the object; the origin of its body is its centre of mass."""
    body = spec.worldbody.add_body(name="object")
    body.add_freejoint(name="object")
    inertia = obj.inertia * protocol.object_mass / obj.mass
    body.mass, body.ipos, body.explicitinertial = protocol.object_mass, [0.0, 0.0, 0.0], True
    body.fullinertia = [inertia[i, j] for i, j in ((0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2))]
    for index, piece in enumerate(pieces):
        vertices = piece.vertices - obj.center_of_mass
        _add_piece(spec, body, f"object_{index}", vertices, rgba=[0.8, 0.5, 0.2, 1.0], **_surface(protocol), **_OBJECT)


def _add_hand(spec, hand: Hand, drive: LiftDrive, protocol: LiftProtocol) -> None:
    spec.worldbody.add_body(name="goal", mocap=True)
    colliders = hand_colliders(hand)
    bodies: list = []
    contact = {"solimp": [0.5, 0.99, 0.0001, 0.5, 2.0], "solref": [0.005, 1.0], **_surface(protocol), **_HAND}
    for index, (link, pieces) in enumerate(zip(hand.links, colliders, strict=True)):
        body = _add_link(spec, bodies, index, link, hand, drive)
        bodies.append(body)
        mass = max(link.mass, 1e-3)
        for number, piece in enumerate(pieces):
            _add_piece(spec, body, f"link_{index}_{number}", piece.vertices, mass=mass / len(pieces), **contact)
        if not pieces:
            body.mass, body.inertia, body.explicitinertial = mass, [1e-4 * mass] * 3, True
    weld = spec.add_equality(type=mujoco.mjtEq.mjEQ_WELD, objtype=mujoco.mjtObj.mjOBJ_BODY)
    weld.name1, weld.name2 = "goal", "link_0"
    weld.data[:11] = [0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1]
    weld.solimp, weld.solref = [0.9, 0.95, 0.001, 0.5, 2.0], [protocol.weld_time, 1.0]


def _add_link(spec, bodies: list, index: int, link: Link, hand: Hand, drive: LiftDrive):
    if link.parent < 0:
        body = spec.worldbody.add_body(name=f"link_{index}")
        body.add_freejoint(name="palm")
        return body
    pose = compose(link.T_parent_joint, invert(link.T_link_joint))
    body = bodies[link.parent].add_body(name=f"link_{index}", pos=pose[:3], quat=pose[[6, 3, 4, 5]])
    if link.joint < 0:
        return body
    slides = link.joint_type == "prismatic"
    lower, upper = hand.joint_lower[link.joint], hand.joint_upper[link.joint]
    limited = bool(np.isfinite([lower, upper]).all() and lower < upper)
    body.add_joint(
        name=f"joint_{link.joint}",
        type=mujoco.mjtJoint.mjJNT_SLIDE if slides else mujoco.mjtJoint.mjJNT_HINGE,
        pos=link.T_link_joint[:3],
        axis=Rotation.from_quat(link.T_link_joint[3:]).apply(link.axis),
        damping=drive.slide_damping if slides else drive.damping,
        armature=drive.slide_armature if slides else drive.armature,
        limited=mujoco.mjtLimited.mjLIMITED_TRUE if limited else mujoco.mjtLimited.mjLIMITED_FALSE,
        range=[lower, upper] if limited else [0.0, 0.0],
    )
    return body


def _add_drives(spec, hand: Hand, drive: LiftDrive, names: Sequence[str]) -> np.ndarray:
    """Add drives and couplings to joints by their names; returns those with a drive, in the order of the drives."""
    slides = {link.joint: link.joint_type == "prismatic" for link in hand.links if link.joint >= 0}
    driven = []
    for joint in range(hand.joint_count):
        leaders = np.flatnonzero(hand.coupling[joint])
        if joint in hand.actuated or len(leaders) > 1:
            _add_drive(spec, names[joint], slides[joint], drive)
            driven.append(joint)
            continue
        coupling = spec.add_equality(type=mujoco.mjtEq.mjEQ_JOINT, objtype=mujoco.mjtObj.mjOBJ_JOINT)
        coupling.name1 = names[joint]
        coupling.data[:5] = [hand.coupling_offset[joint], 0.0, 0.0, 0.0, 0.0]
        coupling.solref, coupling.solimp = [0.005, 1.0], [0.99, 0.999, 0.001, 0.5, 2.0]
        if len(leaders):
            coupling.name2 = names[hand.actuated[leaders[0]]]
            coupling.data[1] = hand.coupling[joint, leaders[0]]
    return np.array(driven)


def _add_drive(spec, joint: str, slides: bool, drive: LiftDrive) -> None:
    actuator = spec.add_actuator(name=f"drive_{joint}", target=joint, trntype=mujoco.mjtTrn.mjTRN_JOINT)
    actuator.set_to_position(kp=drive.slide_stiffness if slides else drive.stiffness)
    limit = drive.force_limit if slides else drive.torque_limit
    if np.isfinite(limit):
        actuator.forcelimited, actuator.forcerange = mujoco.mjtLimited.mjLIMITED_TRUE, [-limit, limit]


def _add_piece(spec, body, name: str, vertices: np.ndarray, **properties) -> None:
    mesh = spec.add_mesh(name=name, uservert=np.asarray(vertices, dtype=np.float64).ravel().tolist())
    mesh.inertia, mesh.maxhullvert = mujoco.mjtMeshInertia.mjMESH_INERTIA_CONVEX, 64
    body.add_geom(name=name, type=mujoco.mjtGeom.mjGEOM_MESH, meshname=name, **properties)


def _set_pose(qpos: np.ndarray, address: int, pose: np.ndarray) -> None:
    qpos[address : address + 7] = pose[[0, 1, 2, 6, 3, 4, 5]]


def _get_pose(qpos: np.ndarray, address: int) -> np.ndarray:
    return qpos[address : address + 7][[0, 1, 2, 4, 5, 6, 3]].copy()
