"""The machine's two clocks: the wall's, which may be wrong by years, and the one since this boot, which is not."""

import time
from pathlib import Path

from deploy.update_rules import Instant


class MachineClock:
    """Reads `boot_id`, so that a start after a power cut is told from the boot before."""

    def now_s(self) -> float:
        return time.time()

    def instant(self) -> Instant:
        boot_id = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return Instant(boot_id, time.clock_gettime(time.CLOCK_BOOTTIME))
