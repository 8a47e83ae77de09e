"""Parts by whole groups: equal seeds give equal bytes, nothing is lost, leaks are found."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from painted_rooms import write_rooms

from foundation.errors import OutFolderError
from foundation.progress import silent
from perception import dataset, sample_format
from perception.errors import EvaluationError, SampleError

FRACTIONS = (0.6, 0.2, 0.2)


@given(st.sets(st.text(min_size=1, max_size=8), min_size=3, max_size=60), st.integers(0, 99))
def test_every_group_has_one_part_and_no_part_is_empty(groups: set[str], seed: int):
    part_of = dataset.assign(sorted(groups), seed=seed, fractions=FRACTIONS)

    assert set(part_of) == groups
    assert set(part_of.values()) == set(dataset.PARTS)


def test_a_split_loses_nothing_and_repeats(tmp_path: Path):
    rooms = write_rooms(tmp_path / "rooms", rooms=5, frames=3)

    report = dataset.split(rooms, tmp_path / "a", seed=3, fractions=FRACTIONS, progress=silent)
    dataset.split(rooms, tmp_path / "b", seed=3, fractions=FRACTIONS, progress=silent)

    ids = [s.sample_id for part in dataset.PARTS for s in sample_format.iter_samples(tmp_path / "a" / part)]
    assert sorted(ids) == sorted(s.sample_id for s in sample_format.iter_samples(rooms))
    assert report.samples == {"train": 9, "validation": 3, "test": 3}
    for part in dataset.PARTS:
        assert sample_format.check(tmp_path / "a" / part) == []
        one, other = (sample_format.load_manifest(tmp_path / name / part).dataset_hash for name in "ab")
        assert one == other


def test_a_room_in_two_parts_and_an_image_in_two_rooms_are_leaks(tmp_path: Path):
    write_rooms(tmp_path / "train", rooms=2, frames=1, seed=1)
    write_rooms(tmp_path / "test", rooms=1, frames=1, seed=1)

    found = dataset.leaks({"train": tmp_path / "train", "test": tmp_path / "test"})

    assert found == [
        "group room-0 lies in train and in test",
        "the image of room-0/0 lies in train and in test",
    ]
    with pytest.raises(EvaluationError, match="room-0"):
        dataset.refuse_leaks({"train": tmp_path / "train", "test": tmp_path / "test"})


@pytest.mark.parametrize("fractions", [(0.5, 0.2, 0.2), (1.2, -0.1, -0.1)])
def test_fractions_that_do_not_sum_to_one_are_refused(fractions: tuple[float, float, float]):
    with pytest.raises(SampleError, match="fractions"):
        dataset.assign(["a", "b", "c"], seed=0, fractions=fractions)


def test_too_few_rooms_say_how_many_are_needed(tmp_path: Path):
    rooms = write_rooms(tmp_path / "rooms", rooms=2, frames=1)

    with pytest.raises(SampleError, match="at least 3 rooms"):
        dataset.split(rooms, tmp_path / "out", seed=0, fractions=FRACTIONS, progress=silent)
    assert not (tmp_path / "out").exists()


def test_an_earlier_split_is_replaced_and_the_samples_are_not(tmp_path: Path):
    rooms = write_rooms(tmp_path / "rooms", rooms=3, frames=1)
    for seed in (0, 1):
        dataset.split(rooms, tmp_path / "out", seed=seed, fractions=FRACTIONS, progress=silent)

    with pytest.raises(OutFolderError, match="which is to be read"):
        dataset.split(tmp_path / "out/train", tmp_path / "out", seed=0, fractions=(1, 0, 0), progress=silent)

    assert sample_format.load_manifest(tmp_path / "out/train").origin["split_seed"] == 1


def test_a_folder_that_was_never_split_is_its_own_part(tmp_path: Path):
    rooms = write_rooms(tmp_path / "rooms", rooms=1, frames=1)

    assert dataset.part_folder(rooms, "test") == rooms
    with pytest.raises(SampleError, match="sim capture"):
        dataset.part_folder(tmp_path / "nowhere", "test")
