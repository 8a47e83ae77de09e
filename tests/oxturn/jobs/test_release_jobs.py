import json
from types import SimpleNamespace

import pytest

from oxturn import lake
from oxturn.jobs import release
from oxturn.jobs.release import ReleaseError


@pytest.fixture
def bundle(tmp_path):
    def work(folder):
        (folder / "bundle").mkdir()
        (folder / "bundle" / "manifest.json").write_text("{}")

    return lake.produce((tmp_path / "lake" / "models" / "m").as_uri(), ["m"], work)


def test_a_bundle_is_signed_once(tmp_path, bundle, monkeypatch):
    from deploy import signing

    signing.create_keys(tmp_path / "keys", root_passphrase="a long enough passphrase")
    asked = (bundle, (tmp_path / "lake").as_uri(), str(tmp_path / "keys"), str(tmp_path / "repository"))

    first = release.sign(*asked)
    monkeypatch.setattr(signing, "publish", None)  # would fail when called again
    again = release.sign(*asked)

    assert first == again and first["version"] == 1
    targets = json.loads((tmp_path / "repository" / "1.targets.json").read_text())["signed"]["targets"]
    assert targets["model.tar"]["hashes"]["sha256"] == first["sha256"]


@pytest.mark.parametrize("result", ["finished", "halted"])
def test_a_roll_out_that_halts_fails_and_says_why(tmp_path, monkeypatch, result):
    from deploy import fleet

    report = fleet.RolloutReport(result, "wave 0: 1 of 1 failed", 0, 1, {"ox1": "failed"})
    asked = []
    monkeypatch.setattr(fleet, "read_inventory", lambda path: {"ox1": SimpleNamespace()})
    monkeypatch.setattr(fleet, "roll_out", lambda *args: asked.append(args) or report)

    if result == "halted":
        with pytest.raises(ReleaseError, match="version 7: wave 0: 1 of 1 failed; 0 robots run it"):
            release.roll_out({"version": 7}, str(tmp_path), "inventory.toml")
    else:
        assert release.roll_out({"version": 7}, str(tmp_path), "inventory.toml")["outcomes"] == {"ox1": "failed"}
    assert asked[0][2] == tmp_path / "rollout-7.json"
