"""Health by the model's bytes: those that begin with `bad` fail at rest, with `worse` on live frames."""

from pathlib import Path

from deploy.health import HealthReport
from deploy.update_rules import Instant, Trial


class FakeHealth:
    """HealthCheck and LiveTrial in one."""

    def __init__(self) -> None:
        self.examined: list[Path] = []

    def examine(self, bundle_dir: Path) -> HealthReport:
        self.examined.append(bundle_dir)
        bad = self.model(bundle_dir).startswith(b"bad")
        return HealthReport(not bad, "answers NaN" if bad else "")

    def watch(self, bundle_dir: Path, trial: Trial) -> HealthReport:
        worse = self.model(bundle_dir).startswith(b"worse")
        return HealthReport(not worse, "disagrees on live frames" if worse else "")

    def model(self, bundle_dir: Path) -> bytes:
        return (bundle_dir / "model.onnx").read_bytes()


class FakeClock:
    """Both clocks of a machine, set by hand."""

    def __init__(self, now_s: float, boot_id: str = "boot-1", uptime_s: float = 100.0) -> None:
        self.wall_s = now_s
        self.boot_id = boot_id
        self.uptime_s = uptime_s

    def now_s(self) -> float:
        return self.wall_s

    def instant(self) -> Instant:
        return Instant(self.boot_id, self.uptime_s)
