"""The camera of a picture.

In: a `camera` entry in Ascent's format, or only the bounds of the domain.
Out: a Camera: the rays through its pixels, and the projection of world points to its image.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Literal

import numpy as np

from insitu.core.box import Bounds
from insitu.core.validation import check_keys, number, vector
from insitu.engines.options import Vector, View

Rectangle = tuple[int, int, int, int]  # y0, y1, x0, x1: half open, in pixels, row 0 at the top
Projection = Literal["perspective", "parallel"]
PROJECTIONS: tuple[Projection, ...] = ("perspective", "parallel")

_FAR = 1000.0
"""How many times farther away the eye of a parallel projection is: lines of sight then differ by
less than a pixel over the depth of a domain."""
_MARGIN = 0.86  # fraction of the half image that the bounds may fill
_LABELLED = 0.74  # the same where there are labels on two sides, and a colour bar
_ASIDE = (-0.03, 0.0)  # of the half image: the colour bar is at the right


@dataclass(frozen=True)
class Camera:
    """A pinhole camera in world coordinates.

    position, look_at, up: (x, y, z); up need not be perpendicular to the view.
    fov: angle from the bottom to the top of the image, degrees, in (0, 180).
    width, height: pixels.
    near, far: distances along the view between which is what is shown.

    Raises ValueError for an out-of-range value, or if position equals look_at.
    """

    position: Vector
    look_at: Vector
    up: Vector = (0.0, 1.0, 0.0)
    fov: float = 30.0
    width: int = 1024
    height: int = 1024
    near: float = 0.0
    far: float = math.inf

    def __post_init__(self) -> None:
        for name in ("position", "look_at", "up"):
            object.__setattr__(self, name, vector(getattr(self, name), f"camera/{name}"))
        if not 0 < number(self.fov, "camera/fov") < 180:
            raise ValueError(f"camera/fov: {self.fov} is not between 0 and 180 degrees")
        if self.width < 1 or self.height < 1:
            raise ValueError(f"image of {self.width} x {self.height} pixels: both must be positive")
        if self.position == self.look_at:
            raise ValueError(f"camera/position: {self.position} is also camera/look_at")

    @staticmethod
    def default(
        bounds: Bounds,
        width: int = 1024,
        height: int = 1024,
        *,
        azimuth: float | None = None,
        elevation: float | None = None,
        zoom: float = 1.0,
        fov: float = 30.0,
        side: tuple[int, int] = (1, 1),
    ) -> Camera:
        """A three-quarter view from above that shows the whole of `bounds`.

        azimuth, elevation: degrees, applied as in Ascent to a camera that looks along -z with y
        up; None: chosen from the shape of the bounds, so that a long side lies across the
        picture and a slab shows its face. zoom: 1 fits the bounds, 2 doubles their size.
        side: signs of x and z of the side on which the eye is placed if azimuth is None.
        """
        lo, hi = _checked(bounds)
        suits = _angles(hi - lo, side)
        azimuth = suits[0] if azimuth is None else azimuth
        elevation = suits[1] if elevation is None else elevation
        center, start = _starting_pose(lo, hi)
        ahead = Camera(tuple(start), tuple(center), fov=fov, width=width, height=height)
        camera = ahead._turned(azimuth, elevation)
        right, up, forward = camera.basis()
        offsets = _corners(lo, hi) - center  # (8, 3)
        tan = camera._tan_half * _MARGIN
        wide = np.abs(offsets @ right) / (tan * width / height) - offsets @ forward
        tall = np.abs(offsets @ up) / tan - offsets @ forward
        distance = float(max(wide.max(), tall.max()))
        position = tuple((center - distance * forward).tolist())
        return Camera(position, camera.look_at, camera.up, _zoomed(fov, zoom), width, height)

    @staticmethod
    def facing(bounds: Bounds, normal: Vector, width: int = 1024, height: int = 1024) -> Camera:
        """A parallel projection of the whole of `bounds` onto the plane with this normal, with room
        for labels: of two axes x y z, the first lies to the right and the second upwards. Raises
        ValueError for a zero normal.
        """
        lo, hi = _checked(bounds)
        axis = int(np.argmax(np.abs(normal)))
        away = np.asarray(normal, np.float64) / (np.linalg.norm(normal) or 1.0)
        # From +x or -y one sees y or x to the right and z upwards; from +z, x and y.
        away *= (1.0 if axis != 1 else -1.0) * (1.0 if away[axis] > 0 else -1.0)
        center, size = (lo + hi) / 2, float(np.linalg.norm(hi - lo))
        up = (0.0, 1.0, 0.0) if axis == 2 else (0.0, 0.0, 1.0)
        camera = Camera(triple(center + size * away), triple(center), up, 30.0, width, height)
        right, top, _ = camera.basis()
        offsets = _corners(lo, hi) - center  # (8, 3)
        wide, tall = (float(np.abs(offsets @ along).max()) for along in (right, top))
        tan = max(tall, wide * height / width) / (_LABELLED * size)
        camera = replace(camera, fov=math.degrees(2 * math.atan(tan)))
        return camera._moved(*_ASIDE).parallel()

    @staticmethod
    def from_ascent(
        entries: Mapping[str, Any] | None, bounds: Bounds, width: int = 1024, height: int = 1024
    ) -> Camera:
        """A camera from a render's `camera` entry; the default camera if it is empty.

        See `CameraSettings`.
        Raises ValueError for an unknown key or an invalid value.
        """
        if not entries:
            return Camera.default(bounds, width, height)
        return CameraSettings.from_ascent(entries).camera(bounds, width, height)

    def parallel(self) -> Camera:
        """The same view without perspective: what is as far away as look_at keeps its size."""
        arm = np.subtract(self.position, self.look_at)
        fov = math.degrees(2 * math.atan(self._tan_half / _FAR))
        farther = (_FAR - 1) * float(np.linalg.norm(arm))
        return replace(
            self,
            position=triple(_FAR * arm + self.look_at),
            fov=fov,
            near=self.near + farther if self.near > 0 else 0.0,
            far=self.far + farther,
        )

    def basis(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Unit vectors (3,) to the right of the image, to its top, and into the scene."""
        forward = np.subtract(self.look_at, self.position)
        forward = forward / np.linalg.norm(forward)
        right = np.cross(forward, self.up)
        if np.linalg.norm(right) < 1e-9 * max(1e-300, float(np.linalg.norm(self.up))):
            # Looking along `up`: any other axis will do, as long as all ranks choose the same.
            right = np.cross(forward, np.eye(3)[int(np.argmin(np.abs(forward)))])
        right = right / np.linalg.norm(right)
        return right, np.cross(right, forward), forward

    def image_plane(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(right, up, forward); right and up span half the image at distance 1."""
        right, up, forward = self.basis()
        return right * (self._tan_half * self.width / self.height), up * self._tan_half, forward

    def view(self, rectangle: Rectangle) -> View:
        """This view as the engines need it, for the pixels in a rectangle (y0, y1, x0, x1)."""
        right, up, forward = self.image_plane()
        return View(
            eye=triple(self.position),
            forward=triple(forward),
            right=triple(right),
            up=triple(up),
            size=(self.width, self.height),
            rectangle=rectangle,
        )

    def rays(self) -> tuple[np.ndarray, np.ndarray]:
        """The eye (3,) and unit directions (height, width, 3) through the pixels' centres."""
        right, up, forward = self.image_plane()
        sx = 2 * (np.arange(self.width) + 0.5) / self.width - 1
        sy = 1 - 2 * (np.arange(self.height) + 0.5) / self.height
        directions = forward + sx[None, :, None] * right + sy[:, None, None] * up
        directions /= np.linalg.norm(directions, axis=-1, keepdims=True)
        return np.array(self.position), directions

    def project(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Points (n, 3) -> pixel coordinates (n, 2) as (x, y), and depths (n,) along the view.

        Pixel coordinates of points that are not in front of the eye (depth <= 0) are meaningless.
        """
        right, up, forward = self.image_plane()
        offsets = np.asarray(points, dtype=np.float64) - self.position
        depth = offsets @ forward
        safe = np.where(depth > 0, depth, 1.0)
        with np.errstate(over="ignore"):  # points level with the eye project to infinity
            sx = offsets @ right / np.dot(right, right) / safe
            sy = offsets @ up / np.dot(up, up) / safe
            pixels = np.stack(((sx + 1) / 2 * self.width, (1 - sy) / 2 * self.height), axis=-1)
        return pixels, depth

    def rectangle(self, bounds: Bounds) -> Rectangle:
        """The pixels that a box can touch, clipped to the image; empty if it is out of view.

        For a box that reaches behind the eye, the whole image.
        """
        lo, hi = _checked(bounds)
        pixels, depth = self.project(_corners(lo, hi))
        if (depth <= 0).all():
            return (0, 0, 0, 0)
        if (depth <= 1e-6 * float(np.linalg.norm(hi - lo))).any():
            return (0, self.height, 0, self.width)
        limits = np.array([self.width, self.height])
        # One pixel of margin for rounding; clipped as floats, since corners may be very far out.
        x0, y0 = np.clip(np.floor(pixels.min(axis=0)) - 1, 0, limits).astype(int).tolist()
        x1, y1 = np.clip(np.ceil(pixels.max(axis=0)) + 1, 0, limits).astype(int).tolist()
        return (y0, y1, x0, x1) if y0 < y1 and x0 < x1 else (0, 0, 0, 0)

    @property
    def _tan_half(self) -> float:
        return math.tan(math.radians(self.fov) / 2)

    def _turned(self, azimuth: float, elevation: float) -> Camera:
        """Rotated about look_at: by azimuth about `up`, then by elevation towards `up`; degrees."""
        arm = np.subtract(self.position, self.look_at)
        up = np.array(self.up)
        arm = _rotated(arm, up, azimuth)
        if elevation:
            arm = _rotated(arm, np.cross(arm, up), elevation)
        position = tuple((arm + self.look_at).tolist())
        return Camera(position, self.look_at, self.up, self.fov, self.width, self.height)

    def _moved(self, xpan: float, ypan: float) -> Camera:
        """Moved aside, so that what was in the middle is at these shares of half the picture."""
        if not (xpan or ypan):
            return self
        right, up, _ = self.image_plane()
        away = float(np.linalg.norm(np.subtract(self.look_at, self.position)))
        aside = -away * (xpan * right + ypan * up)
        position, look_at = triple(aside + self.position), triple(aside + self.look_at)
        return Camera(position, look_at, self.up, self.fov, self.width, self.height)


@dataclass(frozen=True, kw_only=True)
class CameraSettings:
    """The camera options of a render, before the bounds of the domain are known.

    They modify Ascent's initial camera (looking along -z at the centre, one diagonal away, y up,
    fov 60) in Ascent's order, so that an actions file for Ascent gives the same view: look_at,
    position, up, fov, zoom, azimuth, elevation, xpan and ypan.

    Raises ValueError, "camera/key: text", for an out-of-range value.
    """

    position: Vector | None = None
    """World x y z; None: Ascent's initial position."""
    look_at: Vector | None = None
    """World x y z; None: the centre of the domain."""
    up: Vector = (0.0, 1.0, 0.0)
    fov: float = 60.0
    """Degrees, in (0, 180)."""
    zoom: float = 1.0
    """Magnification; 1: no zoom."""
    azimuth: float = 0.0
    """Degrees."""
    elevation: float = 0.0
    """Degrees."""
    xpan: float = 0.0
    """Moves what is at `look_at` to the right, by this share of half the picture's width."""
    ypan: float = 0.0
    """The same upwards, of half its height."""
    projection: Projection = "perspective"
    """Not of Ascent, whose cameras have perspective."""
    near_plane: float | None = None
    """Distance along the view in front of which nothing is shown; None: the eye."""
    far_plane: float | None = None
    """Distance behind which nothing is shown; None: no limit."""

    def __post_init__(self) -> None:
        for name in ("position", "look_at", "up"):
            if getattr(self, name) is not None:
                object.__setattr__(self, name, vector(getattr(self, name), f"camera/{name}"))
        for name in ("fov", "zoom", "azimuth", "elevation", "xpan", "ypan"):
            object.__setattr__(self, name, number(getattr(self, name), f"camera/{name}"))
        if not 0 < self.fov < 180:
            raise ValueError(f"camera/fov: {self.fov} is not between 0 and 180 degrees")
        if self.projection not in PROJECTIONS:
            raise ValueError(
                f"camera/projection: {self.projection!r} is not one of {', '.join(PROJECTIONS)}"
            )
        if self.position is not None and self.position == self.look_at:
            raise ValueError(f"camera/position: {self.position} is also camera/look_at")
        near, far = self._planes
        if not 0 <= near < far:
            raise ValueError(f"camera/near_plane: {near:g} to {far:g} shows nothing")
        _zoomed(self.fov, self.zoom)

    @property
    def _planes(self) -> tuple[float, float]:
        near = 0.0 if self.near_plane is None else number(self.near_plane, "camera/near_plane")
        far = math.inf if self.far_plane is None else number(self.far_plane, "camera/far_plane")
        return near, far

    @staticmethod
    def from_ascent(entries: Mapping[str, Any]) -> CameraSettings:
        """From a render's `camera` entry. Raises ValueError for an unknown key or bad value."""
        check_keys(entries, [entry.name for entry in fields(CameraSettings)], "camera")
        return CameraSettings(**entries)

    def camera(self, bounds: Bounds, width: int, height: int) -> Camera:
        """The camera for a domain with these bounds. Raises ValueError as Camera does."""
        center, start = _starting_pose(*_checked(bounds))
        camera = Camera(
            tuple(start) if self.position is None else self.position,
            tuple(center) if self.look_at is None else self.look_at,
            self.up,
            _zoomed(self.fov, self.zoom),
            width,
            height,
        )
        turned = camera._turned(self.azimuth, self.elevation)._moved(self.xpan, self.ypan)
        near, far = self._planes
        camera = replace(turned, near=near, far=far)
        return camera.parallel() if self.projection == "parallel" else camera


def _checked(bounds: Bounds) -> tuple[np.ndarray, np.ndarray]:
    lo, hi = (np.asarray(b, dtype=np.float64) for b in bounds)
    if lo.shape != (3,) or hi.shape != (3,) or not (np.isfinite(hi - lo).all() and (lo < hi).all()):
        raise ValueError(f"bounds: expected (lo, hi), three numbers each, lo < hi; got {bounds}")
    return lo, hi


def _angles(size: np.ndarray, side: tuple[int, int]) -> tuple[float, float]:
    """Azimuth and elevation, degrees, that show a box of this size (3,) best.

    A cube is turned by 35 degrees; the more x and z differ, the more the longer side faces the eye.
    """
    x, y, z = size.tolist()
    # The turn responds only partly to the aspect ratio, so that the shorter side stays visible.
    turn = 35.0 if x == z else 45.0 - 35.0 * math.tanh(math.log(x / z) / 1.5)
    turn = min(max(turn, 10.0), 80.0)
    if abs(turn - 45.0) < 10.0:  # avoid a vertical edge in the middle of the picture
        turn = 35.0 if x >= z else 55.0
    flat = y / math.sqrt(x * z)  # below 1: a slab, seen from higher up
    tilt = min(max(25.0 - 20.0 * math.log2(flat) / 2, 15.0), 60.0) if flat < 1 else 25.0
    if min(x, z) < 0.1 * max(x, y, z):  # an upright sheet
        tilt = min(tilt, 15.0)
    around = {(1, 1): turn, (-1, 1): -turn, (1, -1): 180.0 - turn, (-1, -1): 180.0 + turn}
    return around[side], tilt


def _starting_pose(lo: np.ndarray, hi: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The centre of a box, and Ascent's initial eye position: one diagonal from it along z."""
    center = (lo + hi) / 2
    return center, center + np.array([0.0, 0.0, float(np.linalg.norm(hi - lo))])


def _corners(lo: np.ndarray, hi: np.ndarray) -> np.ndarray:
    """The corners (8, 3) of a box."""
    return np.stack(np.meshgrid(*zip(lo, hi, strict=True)), axis=-1).reshape(8, 3)


def _zoomed(fov: float, zoom: float) -> float:
    """The field of view that magnifies the image by `zoom`. ValueError if it is not positive."""
    if zoom <= 0:
        raise ValueError(f"camera/zoom: {zoom} is not positive")
    return math.degrees(2 * math.atan(math.tan(math.radians(fov) / 2) / zoom))


def _rotated(v: np.ndarray, axis: np.ndarray, degrees: float) -> np.ndarray:
    """Rodrigues rotation of v (3,) about an axis (3,), right-handed; none about a zero axis."""
    length = float(np.linalg.norm(axis))
    if length == 0 or degrees == 0:
        return v
    k = axis / length
    angle = math.radians(degrees)
    turned = v * math.cos(angle) + np.cross(k, v) * math.sin(angle)
    return turned + k * float(k @ v) * (1 - math.cos(angle))


def triple(values: Iterable[Any]) -> Vector:
    """The three values as floats."""
    x, y, z = (float(value) for value in values)
    return x, y, z
