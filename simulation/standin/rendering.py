"""Images of the robot's camera: by OpenGL through MuJoCo where there is a GL library, else by rays and shading.

Which one is used is decided once, when the first renderer is opened, and said in the log.
"""

import logging
import math
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final, Protocol

import numpy as np
from numba import njit
from numpy.typing import NDArray

from foundation.geometry import FloatArray
from simulation.headless_mujoco import mujoco
from simulation.standin.edges import smoothed
from simulation.standin.geom_picture import geoms_seen
from simulation.standin.shadow_casters import cast_into_view
from simulation.standin.view_solids import seen_from, view_sides

DRAWN_GROUPS: Final = np.array([True, True, True, False, False, False])  # MuJoCo's own choice
HIDDEN_GROUP: Final = 4

logger = logging.getLogger(__name__)


class Renderer(Protocol):
    """Draws one camera of one size."""

    def look(self, data: Any) -> tuple[NDArray[np.uint8], NDArray[np.int32]]:
        """Red, green, blue (H, W, 3), and MuJoCo's geom id per pixel (H, W), -1 for none."""
        ...

    def refresh_surfaces(self, textures: Sequence[int]) -> None:
        """Takes these textures and the shadow-casting lights from the model again."""
        ...

    def close(self) -> None: ...


class GlRenderer:
    """MuJoCo's own drawing; EGL works with Mesa's software driver, which pays for every sample, copy and geom.

    Colours are OpenGL's; which geom each pixel shows is worked out beside it, for the same view.
    """

    def __init__(self, model: Any, width_px: int, height_px: int, camera: str) -> None:
        self._model = model
        self._camera = mujoco.MjvCamera()
        self._camera.type = mujoco.mjtCamera.mjCAMERA_FIXED
        self._camera.fixedcamid = mujoco.mj_name2id(model, mujoco.mjtObj.mjOBJ_CAMERA, camera)
        self._option = mujoco.MjvOption()
        self._scene = mujoco.MjvScene(model, maxgeom=model.ngeom + 100)
        quality = model.vis.quality
        quality.offsamples = 0  # edges are smoothed afterwards, see `edges`
        quality.numslices, quality.numstacks = 24, 12  # within a pixel of round even close by; ids are exact anyway
        self._gl = _gl_context()
        self._gl.make_current()
        self._context = mujoco.MjrContext(model, mujoco.mjtFontScale.mjFONTSCALE_50)
        self._rect = mujoco.MjrRect(0, 0, width_px, height_px)
        self._pixels = np.empty((height_px, width_px, 3), np.uint8)  # as read: bottom row first
        flags = self._scene.flags
        flags[mujoco.mjtRndFlag.mjRND_SHADOW] = bool(np.any(model.light_castshadow))
        flags[mujoco.mjtRndFlag.mjRND_REFLECTION] = False
        flags[mujoco.mjtRndFlag.mjRND_HAZE] = False

    def look(self, data: Any) -> tuple[NDArray[np.uint8], NDArray[np.int32]]:
        self._gl.make_current()
        mujoco.mjr_setBuffer(mujoco.mjtFramebuffer.mjFB_OFFSCREEN, self._context)
        model, rect = self._model, self._rect
        eye, axes, tangents = self._view(data)
        outside = beside_view(
            eye, axes, tangents, data.geom_xpos, data.geom_xmat, model.geom_rbound, model.geom_size,
            model.geom_type == int(mujoco.mjtGeom.mjGEOM_BOX),
        )  # fmt: skip
        kinds, frames = seen_from(eye, axes, model.geom_type, model.geom_size, data.geom_xpos, data.geom_xmat)
        shown = DRAWN_GROUPS[model.geom_group] & ~outside
        geoms: NDArray[np.int32] = geoms_seen(shown, kinds, frames, tangents, rect.height, rect.width)
        with self._only(_told(geoms, len(shown)) | self._shadowing(data, eye, axes, tangents)):
            mujoco.mjv_updateScene(
                model, data, self._option, None, self._camera, mujoco.mjtCatBit.mjCAT_ALL, self._scene
            )
        mujoco.mjr_render(rect, self._scene, self._context)
        mujoco.mjr_readPixels(self._pixels, None, rect, self._context)
        rgb: NDArray[np.uint8] = smoothed(self._pixels, geoms, kinds, frames, tangents)
        return rgb, geoms

    def _view(self, data: Any) -> tuple[FloatArray, FloatArray, tuple[float, float]]:
        """The camera's place (3,), map_from_camera (3, 3), and the tangents of half the view across and up."""
        number = self._camera.fixedcamid
        up = math.tan(math.radians(self._model.cam_fovy[number]) / 2)
        across = up * self._rect.width / self._rect.height
        return data.cam_xpos[number], data.cam_xmat[number].reshape(3, 3), (across, up)

    def _shadowing(
        self, data: Any, eye: FloatArray, axes: FloatArray, tangents: tuple[float, float]
    ) -> NDArray[np.bool_]:
        """(G,): geoms whose shadow may show, whether they do or not."""
        model = self._model
        lamps = data.light_xpos[model.light_castshadow.astype(np.bool_)]
        casting = cast_into_view(eye, axes, tangents, lamps, data.geom_xpos, model.geom_rbound)
        drawn: NDArray[np.bool_] = casting & DRAWN_GROUPS[model.geom_group]
        return drawn

    @contextmanager
    def _only(self, seen: NDArray[np.bool_]) -> Iterator[None]:
        """Without geoms of which no pixel shows anything: a software renderer pays for each."""
        groups = self._model.geom_group.copy()
        self._model.geom_group[~seen] = HIDDEN_GROUP
        try:
            yield
        finally:
            self._model.geom_group[:] = groups

    def refresh_surfaces(self, textures: Sequence[int]) -> None:
        self._gl.make_current()
        for texture in textures:
            mujoco.mjr_uploadTexture(self._model, self._context, texture)
        self._scene.flags[mujoco.mjtRndFlag.mjRND_SHADOW] = bool(np.any(self._model.light_castshadow))

    def close(self) -> None:
        self._gl.make_current()
        self._context.free()


@njit(cache=True)  # type: ignore[untyped-decorator]
def _told(geoms: NDArray[np.int32], count: int) -> NDArray[np.bool_]:
    """(count,): whether a geom shows in one of the pixels (H, W)."""
    out = np.zeros(count, np.bool_)
    for geom in geoms.ravel():
        if geom >= 0:
            out[geom] = True
    return out


@njit(cache=True)  # type: ignore[untyped-decorator]
def beside_view(
    eye: FloatArray,
    axes: FloatArray,
    tangents: tuple[float, float],
    places: FloatArray,
    rotations: FloatArray,
    reach: FloatArray,
    half: FloatArray,
    is_box: NDArray[np.bool_],
) -> NDArray[np.bool_]:
    """(G,): geoms that lie wholly beyond one of the view's four sides; of boxes also the corners are looked at.

    `axes` is map_from_camera with the camera looking along -z; `tangents` are of half the view across and up; `reach`
    is each geom's bounding sphere, 0 for the endless ones, which never are beside.
    """
    out = np.zeros(len(reach), np.bool_)
    for normal in view_sides(axes, tangents):
        for i in range(len(reach)):
            if reach[i] <= 0 or out[i]:
                continue
            beyond = 0.0
            for k in range(3):
                beyond += normal[k] * (places[i, k] - eye[k])
            spread = reach[i]
            if is_box[i]:
                spread = 0.0
                for j in range(3):
                    turned = (
                        normal[0] * rotations[i, j] + normal[1] * rotations[i, 3 + j] + normal[2] * rotations[i, 6 + j]
                    )
                    spread += abs(turned) * half[i, j]
            out[i] = beyond > spread
    return out


class RayRenderer:
    """One ray a pixel, flat colours shaded by the surface's slope: no library needed, no textures."""

    def __init__(self, model: Any, width_px: int, height_px: int, camera: str) -> None:
        self._model = model
        self._camera = int(mujoco.mj_name2id(model, mujoco.mjtObj.mjOBJ_CAMERA, camera))
        self._size = (height_px, width_px)
        rows, cols = np.mgrid[0:height_px, 0:width_px]
        self._across = (cols.ravel() + 0.5 - width_px / 2) / (height_px / 2)
        self._up = (height_px / 2 - rows.ravel() - 0.5) / (height_px / 2)
        count = width_px * height_px
        self._hits = np.empty(count, np.int32)
        self._ranges = np.empty(count)
        self._normals = np.empty(count * 3)

    def look(self, data: Any) -> tuple[NDArray[np.uint8], NDArray[np.int32]]:
        image = self._cast(data)
        geoms = image.ravel()
        seen = geoms >= 0
        colours = self._colours()[np.where(seen, geoms, 0)]
        normals = self._normals.reshape(-1, 3)
        light = 0.55 + 0.45 * np.abs(normals @ np.array([0.36, 0.48, 0.8]))
        shade = np.where(seen[:, None], colours * light[:, None], 0.6)
        return (np.clip(shade, 0, 1) * 255).astype(np.uint8).reshape(*self._size, 3), image

    def _cast(self, data: Any) -> NDArray[np.int32]:
        tangent = np.tan(np.radians(self._model.cam_fovy[self._camera]) / 2)
        rays = np.stack([self._across * tangent, self._up * tangent, np.full(len(self._up), -1.0)], axis=1)
        rays /= np.linalg.norm(rays, axis=1, keepdims=True)
        turned = rays @ data.cam_xmat[self._camera].reshape(3, 3).T
        mujoco.mj_multiRay(
            self._model,
            data,
            data.cam_xpos[self._camera].copy(),
            turned.ravel(),
            None,
            True,
            -1,
            self._hits,
            self._ranges,
            self._normals,
            len(turned),
            100.0,
        )
        return self._hits.reshape(self._size).copy()

    def refresh_surfaces(self, textures: Sequence[int]) -> None:
        """Nothing is held."""

    def close(self) -> None:
        """Nothing is held."""

    def _colours(self) -> NDArray[np.float32]:
        material = self._model.geom_matid
        plain = self._model.geom_rgba[:, :3]
        if not self._model.nmat:
            return np.asarray(plain, np.float32)
        of_material = self._model.mat_rgba[np.maximum(material, 0), :3]
        colours: NDArray[np.float32] = np.where(material[:, None] >= 0, of_material, plain).astype(np.float32)
        return colours


_gl_works: bool | None = None
_of_thread = threading.local()


def _gl_context() -> Any:
    """One a thread, kept: each new one compiles its shaders again. Every renderer draws into buffers of its own."""
    if not hasattr(_of_thread, "gl"):
        _of_thread.gl = mujoco.GLContext(16, 16)
    return _of_thread.gl


def open_renderer(model: Any, width_px: int, height_px: int, camera: str) -> Renderer:
    """GL when it works on this machine, else rays; the reason for rays is logged once."""
    global _gl_works
    if _gl_works is not False:
        try:
            renderer = GlRenderer(model, width_px, height_px, camera)
        except (RuntimeError, OSError, ImportError, AttributeError, mujoco.FatalError) as error:
            if _gl_works:
                raise
            logger.warning(
                "no GL (%s): drawing by rays; sudo apt-get install libegl1 libegl-mesa0 libgl1-mesa-dri", error
            )
            _gl_works = False
        else:
            _gl_works = True
            return renderer
    return RayRenderer(model, width_px, height_px, camera)


def renderer_name() -> str:
    """`gl` or `rays`: which of the two this machine's images come from."""
    from multiprocessing import get_context

    if _gl_works is None:
        with get_context("spawn").Pool(1) as pool:  # a context of its own, gone with the process
            return str(pool.apply(_try_gl))
    return "gl" if _gl_works else "rays"


def _try_gl() -> str:
    model = mujoco.MjModel.from_xml_string('<mujoco><worldbody><camera name="camera"/></worldbody></mujoco>')
    open_renderer(model, 16, 16, "camera").close()
    return "gl" if _gl_works else "rays"
