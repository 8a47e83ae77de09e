"""A publisher with keys, a repository and bundles of a few bytes; its clock is a number that tests set."""

from pathlib import Path

from fake_software import MACHINE, wheels_of

from deploy import member_patches, patches, signing
from deploy.offered_archive import whole_name
from deploy.robot_home import RobotHome, set_up
from deploy.trust import Trust

NOW_S = 1_800_000_000.0
DAY_S = 86_400.0


class FakePublisher:
    """`publish(b"...")` makes a next version whose model file holds these bytes."""

    def __init__(self, folder: Path, passphrase: str = "correct horse") -> None:
        self.keys, self.repo = folder / "keys", folder / "repo"
        self.passphrase = passphrase
        self.now_s = NOW_S
        self._bundle = folder / "bundle"
        signing.create_keys(self.keys, root_passphrase=passphrase, now_s=self.now_s)

    @property
    def first_root(self) -> Path:
        return self.keys / "root_metadata" / "1.root.json"

    def publish(self, model: bytes) -> signing.PublishReport:
        self._bundle.mkdir(exist_ok=True)
        (self._bundle / "model.onnx").write_bytes(model)
        (self._bundle / "manifest.json").write_text("{}")
        return signing.publish(self._bundle, self.keys, self.repo, now_s=self.now_s)

    def publish_software(self, behaviour: str, machine=MACHINE) -> signing.PublishReport:
        """Wheels of an `oxturn` that behaves so, at its own check and at its starts."""
        folder = self._bundle.with_name("wheels")
        folder.mkdir(exist_ok=True)
        for name, data in wheels_of(behaviour).items():
            (folder / name).write_bytes(data)
        return signing.publish_software(folder, self.keys, self.repo, machine, now_s=self.now_s)

    def rotate(self, *roles: str) -> None:
        signing.rotate(self.keys, roles, root_passphrase=self.passphrase, now_s=self.now_s)

    def files(self) -> dict[str, bytes]:
        """Everything that a push of the newest version may send, by name in `incoming`."""
        pushed = {path.name: path.read_bytes() for path in self.repo.glob("*.json")}
        for path in self.repo.glob("*.tar"):
            digest, kind, _ = path.name.split(".")
            compress = member_patches.compress if kind == "software" else patches.compress
            archive = compress(path.read_bytes())
            pushed[whole_name(digest, archive, kind)] = archive
        return pushed

    def trust(self) -> Trust:
        return Trust((self.first_root.read_bytes(),))

    def robot(self, path: Path) -> RobotHome:
        return set_up(path, self.first_root)

    def deliver(self, home: RobotHome) -> None:
        """As a push does, without the line."""
        for name, data in self.files().items():
            (home.path / "incoming" / name).write_bytes(data)
