"""Everything that watches a robot beside its metrics, behind one `on_tick`: drift, frames worth a label, live page.

Composed here so that each host of the robot adds three lines:

    with watching(config, metrics, folder, background("feedback"), name="ox1", reference=bundle.reference()) as watch:
        ... watch.on_tick(report) ...            # every tick
        ... watch.on_second(coverage_ratio=..., cells=..., geometry=..., covered=..., route=..., objects=...)
"""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from foundation.geometry import FloatArray, Pose2D
from foundation.robot_config import RobotConfig
from monitoring.drift import DriftMonitor, Reference, references
from monitoring.errors import MonitoringError
from monitoring.feedback import Feedback, FeedbackSettings
from monitoring.live_state import FloorObject, LiveState
from monitoring.prometheus_metrics import RobotMetrics
from navigation.background import Background
from navigation.grid_geometry import GridGeometry
from navigation.robot_loop import TickReport

logger = logging.getLogger(__name__)

Statistics = Mapping[str, Mapping[str, float]]


class RobotWatch:
    """Listens to the loop; `view_url` is where the live page is served, None without one."""

    def __init__(
        self,
        drift_from: Callable[[Statistics], DriftMonitor],
        reference: Statistics,
        feedback: Feedback,
        live: LiveState,
        view_url: str | None,
    ) -> None:
        self._drift_from = drift_from
        self._drift = drift_from(reference)
        self._feedback = feedback
        self._live = live
        self.view_url = view_url

    def on_tick(self, report: TickReport) -> None:
        self._feedback.on_tick(report, self._drift.on_tick(report))
        self._live.on_tick(report)

    def on_model(self, reference: Statistics) -> None:
        """Another model answers from now on: drift is held, from nothing, against what that one was trained on."""
        self._drift = self._drift_from(reference)

    def on_second(
        self,
        *,
        cells: NDArray[np.int8],
        geometry: GridGeometry,
        covered: NDArray[np.bool_] | None,
        route: FloatArray,
        objects: Sequence[FloorObject],
        **words: str | float,
    ) -> None:
        """What changes slowly: the map (R, C), what is covered of it (R, C), the route ahead (N, 2), the objects."""
        self._live.on_map(cells, geometry, covered if covered is not None and covered.shape == cells.shape else None)
        self._live.on_plan([Pose2D(x_m, y_m, 0.0) for x_m, y_m in np.asarray(route).reshape(-1, 2).tolist()])
        self._live.on_objects(objects)
        self._live.say(**words)


def _usable(statistics: Statistics) -> dict[str, Reference]:
    """Without features that did not vary in training or whose numbers are none: the robot drives all the same."""
    usable: dict[str, Reference] = {}
    for name, held in statistics.items():
        try:
            usable |= references({name: held})
        except MonitoringError as error:
            logger.warning("drift of %s is not watched: %s", name, error)
    return usable


@contextmanager
def watching(
    config: RobotConfig,
    metrics: RobotMetrics,
    feedback_dir: Path,
    background: Background,
    *,
    name: str,
    reference: Statistics,
    view_port: int | None,
    token: str | None = None,
    epoch_s: float = 0.0,
) -> Iterator[RobotWatch]:
    """`reference`: the bundle's drift statistics, empty without a model; `view_port` None: no page, 0: any port."""
    lidar = config.lidar

    def drift_from(statistics: Statistics) -> DriftMonitor:
        return DriftMonitor(
            _usable(statistics),
            Pose2D(lidar.x_m, lidar.y_m, lidar.yaw_rad),
            metrics.on_drift,
            on_disagreement=metrics.disagreement.set,
        )

    feedback = Feedback(feedback_dir, FeedbackSettings(), background, metrics.on_feedback, epoch_s=epoch_s)
    live = LiveState(name)
    with ExitStack() as stack:
        url = None
        if view_port is not None:
            from monitoring.web_view import serve_view

            url = stack.enter_context(serve_view(live, config.monitoring.host, view_port, token=token))
        yield RobotWatch(drift_from, reference, feedback, live, url)
