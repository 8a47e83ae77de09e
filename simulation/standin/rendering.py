"""Images of the robot's camera: by OpenGL through MuJoCo where there is a GL library, else by rays and shading.

Which one is used is decided once, when the first renderer is opened, and said in the log.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from simulation.headless_mujoco import mujoco

HIDDEN_GROUP: Final = 4  # MuJoCo draws groups 0 to 2 unless told otherwise

logger = logging.getLogger(__name__)


class Renderer(Protocol):
    """Draws one camera of one size."""

    def rgb(self, data: Any) -> NDArray[np.uint8]:
        """(H, W, 3)."""
        ...

    def geoms(self, data: Any) -> NDArray[np.int32]:
        """(H, W): MuJoCo's geom id per pixel, -1 for none."""
        ...

    def refresh_surfaces(self) -> None:
        """Takes textures and shadow-casting lights from the model again."""
        ...

    def close(self) -> None: ...


class GlRenderer:
    """MuJoCo's own renderer; EGL works with Mesa's software driver."""

    def __init__(self, model: Any, width_px: int, height_px: int, camera: str) -> None:
        self._camera = camera
        self._renderer = mujoco.Renderer(model, height_px, width_px)
        self._model = model
        flags = self._renderer.scene.flags
        flags[mujoco.mjtRndFlag.mjRND_SHADOW] = bool(np.any(model.light_castshadow))
        flags[mujoco.mjtRndFlag.mjRND_REFLECTION] = False
        flags[mujoco.mjtRndFlag.mjRND_HAZE] = False

    def rgb(self, data: Any) -> NDArray[np.uint8]:
        with self._only_what_is_in_view(data):
            self._renderer.update_scene(data, camera=self._camera)
        image: NDArray[np.uint8] = self._renderer.render()
        return image

    def geoms(self, data: Any) -> NDArray[np.int32]:
        self._renderer.enable_segmentation_rendering()
        try:
            with self._only_what_is_in_view(data):
                self._renderer.update_scene(data, camera=self._camera)
            painted = self._renderer.render()  # (H, W, 2): id, kind of object
        finally:
            self._renderer.disable_segmentation_rendering()
        is_geom = painted[..., 1] == int(mujoco.mjtObj.mjOBJ_GEOM)
        geoms: NDArray[np.int32] = np.where(is_geom, painted[..., 0], -1).astype(np.int32)
        return geoms

    @contextmanager
    def _only_what_is_in_view(self, data: Any) -> Iterator[None]:
        """Hides geoms whose bounding sphere lies outside of the camera's cone: a software renderer pays for each."""
        model = self._model
        if self._renderer.scene.flags[mujoco.mjtRndFlag.mjRND_SHADOW]:  # what is out of view still casts shadows
            yield
            return
        number = int(mujoco.mj_name2id(model, mujoco.mjtObj.mjOBJ_CAMERA, self._camera))
        away = data.geom_xpos - data.cam_xpos[number]  # (G, 3)
        along = -away @ data.cam_xmat[number].reshape(3, 3)[:, 2]
        aside = np.sqrt(np.maximum((away**2).sum(axis=1) - along**2, 0.0))
        half_rad = np.radians(model.cam_fovy[number]) / 2
        corner_rad = np.arctan(np.tan(half_rad) * np.hypot(1.0, self._renderer.width / self._renderer.height))
        reach = model.geom_rbound
        outside = (aside * np.cos(corner_rad) - along * np.sin(corner_rad) > reach) & (reach > 0)
        groups = model.geom_group.copy()
        model.geom_group[outside] = HIDDEN_GROUP
        try:
            yield
        finally:
            model.geom_group[:] = groups

    def refresh_surfaces(self) -> None:
        context = self._renderer._mjr_context
        self._renderer._gl_context.make_current()
        for texture in range(self._model.ntex):
            mujoco.mjr_uploadTexture(self._model, context, texture)
        shadows = bool(np.any(self._model.light_castshadow))
        self._renderer.scene.flags[mujoco.mjtRndFlag.mjRND_SHADOW] = shadows

    def close(self) -> None:
        self._renderer.close()


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

    def rgb(self, data: Any) -> NDArray[np.uint8]:
        geoms = self.geoms(data).ravel()
        seen = geoms >= 0
        colours = self._colours()[np.where(seen, geoms, 0)]
        normals = self._normals.reshape(-1, 3)
        light = 0.55 + 0.45 * np.abs(normals @ np.array([0.36, 0.48, 0.8]))
        shade = np.where(seen[:, None], colours * light[:, None], 0.6)
        return (np.clip(shade, 0, 1) * 255).astype(np.uint8).reshape(*self._size, 3)

    def geoms(self, data: Any) -> NDArray[np.int32]:
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

    def refresh_surfaces(self) -> None:
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
