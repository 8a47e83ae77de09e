import itertools

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


def test_no_relation_is_lost_by_the_rounding_of_large_stamps(tmp_path):
    stamps_s = 976052857.0 + np.arange(2000) * 0.337771
    rows = [f"{first:.6f} {second:.6f} 0 0 0 0 0 0" for first, second in itertools.pairwise(stamps_s)]
    (tmp_path / "log.relations").write_text("\n".join(rows) + "\n")

    metres, _ = relation_errors(stamps_s, np.zeros((2000, 3)), tmp_path / "log.relations")

    assert len(metres) == 1999
