"""Watching the robot's own program after an update: the updater waits for the daemon, the daemon confirms itself.

The daemon that runs the software before sees the link move and ends, to be started again from the new slot. The new one
confirms once it has worked for a while. All disk work of a tick happens in a Background; what the guard does at starts
(`systemd/software_guard.sh`) needs neither of them.
"""

import logging
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from deploy import software_trial
from deploy.live_trial import daemon_runs
from deploy.ota_updater import Clock
from deploy.robot_home import RobotHome, exclusive, on_this_machine
from deploy.software_update import slot_of
from deploy.update_errors import DeployError
from deploy.update_rules import Slot, Trial
from navigation.background import Background

logger = logging.getLogger(__name__)

LOOK_EVERY_TICKS: Final = 10
POLL_S: Final = 0.5
RESTART_EXIT: Final = 75  # RestartForceExitStatus of oxturn.service


@dataclass(frozen=True, slots=True)
class WaitForDaemon:
    """The updater's side: until the daemon has confirmed or the guard has gone back, no longer than the deadline."""

    clock: Clock
    within_s: float
    pause: Callable[[float], None] = time.sleep
    daemon_runs: Callable[[Path], bool] = daemon_runs

    def wait(self, home: RobotHome, trial: Trial) -> str | None:
        if not self.daemon_runs(home.path):
            return None  # the next start is the trial
        while software_trial.slot_on_trial(home) == trial.slot:
            if self.clock.instant().uptime_s - trial.began.uptime_s > self.within_s:
                return f"not confirmed within {self.within_s:g} s"
            self.pause(POLL_S)
        return None


class SoftwareWatch:
    """The daemon's side; `tick` once a tick of the loop, from the loop's thread."""

    def __init__(self, home: Path, slot: Slot, background: Background, clock: Clock, healthy_s: float) -> None:
        self._home = home
        self._slot = slot
        self._background = background
        self._clock = clock
        self._healthy_s = healthy_s
        self._first_s: float | None = None
        self._ticks = 0
        self.restart_wanted = False
        with _told_only(), exclusive(home):
            software_trial.settle(on_this_machine(home, "software"))

    def tick(self) -> None:
        if self._background.poll() is True:
            self.restart_wanted = True
        self._ticks += 1
        if self._ticks % LOOK_EVERY_TICKS == 1 and not self._background.busy and not self.restart_wanted:
            self._background.submit(self._look)

    def ended_well(self) -> None:
        """The job is done: whoever got as far works."""
        with _told_only():
            self._confirm("its job is done")

    def _look(self) -> bool:
        """Confirms when it is time; True where the link has moved away from what this process runs from."""
        home, now_s = on_this_machine(self._home, "software"), self._clock.instant().uptime_s
        if self._first_s is None:
            self._first_s = now_s
        if home.slots.active() != self._slot:
            logger.info("the software has changed: this daemon ends, to be started from the other slot")
            return True
        if software_trial.slot_on_trial(home) == self._slot and now_s - self._first_s >= self._healthy_s:
            with _told_only():
                self._confirm(f"well for {self._healthy_s:g} s")
        return False

    def _confirm(self, why: str) -> None:
        home = on_this_machine(self._home, "software")
        with exclusive(self._home):
            if software_trial.slot_on_trial(home) == self._slot:
                software_trial.confirm(home)
                logger.info("software of slot %s is confirmed: %s", self._slot, why)


@contextmanager
def _told_only() -> Iterator[None]:
    """A full disk is no reason for a robot to stop driving; the next look tries again."""
    try:
        yield
    except (OSError, DeployError) as error:
        logger.warning("the trial of the software cannot be concluded yet: %s", error)


def own_slot(home: Path) -> Slot | None:
    """The slot that this process runs from, if any."""
    return slot_of(on_this_machine(home.resolve(), "software"), str(Path(sys.prefix).resolve()))
