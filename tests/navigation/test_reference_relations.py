import numpy as np
import pytest

from navigation.reference_relations import relation_errors

STAMPS_S = np.array([1.0, 2.0, 9.0])
POSES = np.array([(5.0, 5.0, np.pi / 2), (5.0, 6.0, np.pi), (4.0, 6.0, np.pi)])


@pytest.fixture
def relations(tmp_path):
    rows = [
        "# stamp stamp x y z roll pitch yaw",
        "1 2 1 0 0 0 0 1.5707963",
        "2 9 1.3 0.4 0 0 0 -0.1",
        "2 7 0 0 0 0 0 0",
    ]
    (tmp_path / "log.relations").write_text("\n".join(rows) + "\n")
    return tmp_path / "log.relations"


def test_steps_are_compared_as_seen_from_their_first_pose(relations):
    metres, degrees = relation_errors(STAMPS_S, POSES, relations)

    assert metres == pytest.approx([0.0, 0.5])
    assert degrees == pytest.approx([0.0, np.degrees(0.1)], abs=1e-5)


def test_long_relations_may_be_left_out(relations):
    metres, _ = relation_errors(STAMPS_S, POSES, relations, under_s=5.0)

    assert metres == pytest.approx([0.0])
