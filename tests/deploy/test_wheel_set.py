"""Which wheels are a robot's software: one Python, one machine, exactly the listed files."""

import contextlib
import json

import pytest
from fake_software import MACHINE, wheel, wheels_of
from hypothesis import given
from hypothesis import strategies as st

from deploy.update_errors import WheelsError
from deploy.wheel_set import MANIFEST, Machine, checked, machine_of, manifest_of


def published(files):
    return {**files, MANIFEST: manifest_of(files, MACHINE)}


def with_wheel(name):
    return {**wheels_of("good"), name: wheel("x", "1", {})}


def test_a_set_of_wheels_comes_back_as_listed():
    files = wheels_of("good 1")

    found = checked(published(files), MACHINE)

    assert set(found.wheels) == set(files)
    assert (found.version, found.python, found.processor, found.glibc) == ("1.0", "cp311", "aarch64", (0, 0))
    assert found.installed_bytes > 5000


@pytest.mark.parametrize(
    "name",
    [
        "x-1-py3-none-any.whl",
        "x-1-py2.py3-none-any.whl",
        "x-1-py311-none-any.whl",
        "x-1-py36-none-any.whl",
        "x-1-1-cp311-cp311-manylinux_2_17_aarch64.manylinux2014_aarch64.whl",
        "x-1-cp39-abi3-manylinux_2_28_aarch64.whl",
        "x-1-cp311-cp311-linux_aarch64.whl",
        "x-1+cpu-cp311-none-manylinux2014_aarch64.whl",
    ],
)
def test_wheels_that_fit_are_taken(name):
    assert name in checked(published(with_wheel(name)), MACHINE).wheels


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("x-1.tar.gz", "source distribution"),
        ("x-1.zip", "source distribution"),
        ("notes.txt", "no wheel"),
        ("../x-1-py3-none-any.whl", "no wheel"),
        ("sub/x-1-py3-none-any.whl", "no wheel"),
        ("x-1-cp312-cp312-manylinux_2_17_aarch64.whl", "another Python"),
        ("x-1-cp312-abi3-manylinux_2_17_aarch64.whl", "another Python"),
        ("x-1-cp310-cp310-manylinux_2_17_aarch64.whl", "another Python"),
        ("x-1-py2-none-any.whl", "another Python"),
        ("x-1-cp311-cp311-manylinux_2_17_x86_64.whl", "another machine"),
        ("x-1-cp311-cp311-manylinux_2_39_aarch64.whl", "another machine"),
        ("x-1-cp311-cp311-macosx_11_0_arm64.whl", "another machine"),
        ("x-1-cp311-cp311-musllinux_1_2_aarch64.whl", "another machine"),
        ("Needed-2.1-py3-none-any.whl", "same package"),
    ],
)
def test_what_is_no_software_for_this_robot_is_refused_when_it_is_published(name, why):
    with pytest.raises(WheelsError, match=why):
        manifest_of(with_wheel(name), MACHINE)


def test_without_oxturn_itself_there_is_nothing_to_publish():
    with pytest.raises(WheelsError, match="no wheel of oxturn"):
        manifest_of({"x-1-py3-none-any.whl": wheel("x", "1", {})}, MACHINE)


def test_a_file_that_only_calls_itself_a_wheel_is_refused():
    with pytest.raises(WheelsError, match="cannot be opened"):
        manifest_of({**wheels_of("good"), "x-1-py3-none-any.whl": b"not a zip"}, MACHINE)


@pytest.mark.parametrize(
    ("robot", "why"),
    [
        (Machine("cp313", "aarch64", (2, 41)), "cp313"),
        (Machine("cp311", "x86_64", (2, 36)), "x86_64"),
        (Machine("cp311", "aarch64", (2, 17)), "glibc 2.28"),
    ],
)
def test_a_robot_refuses_what_is_for_another_machine(robot, why):
    files = published(with_wheel("x-1-cp311-cp311-manylinux_2_28_aarch64.whl"))

    with pytest.raises(WheelsError, match=why):
        checked(files, robot)


def changed(files, **values):
    return {**files, MANIFEST: json.dumps({**json.loads(files[MANIFEST]), **values}).encode()}


def test_a_robot_refuses_what_is_not_exactly_the_listed_wheels():
    files = published(wheels_of("good"))
    name = "needed-2.0-py3-none-any.whl"
    other = {**files, name: files[name] + b"!"}
    short = {key: data for key, data in files.items() if key != name}
    without_oxturn = published(wheels_of("good"))
    wheels = {name: json.loads(files[MANIFEST])["wheels"][name]}
    del without_oxturn["oxturn-1.0-py3-none-any.whl"]

    for bad, why in (
        (other, "sha256 differs"),
        (short, "listed but missing"),
        ({**files, "x-1-py3-none-any.whl": b""}, "not listed"),
        (changed(without_oxturn, wheels=wheels), "no wheel of oxturn"),
        (changed(files, format=2), "format 2"),
        (wheels_of("good"), "no software.json"),
    ):
        with pytest.raises(WheelsError, match=why):
            checked(bad, MACHINE)


@given(
    st.binary(max_size=60) | st.sampled_from([b"[]", b"{}", b'{"format": 1}', b"null", b'{"format": 1, "glibc": 3}'])
)
def test_any_manifest_is_read_or_refused(data):
    with pytest.raises(WheelsError):
        checked({MANIFEST: data}, MACHINE)


@given(st.text(max_size=80))
def test_any_file_name_is_taken_or_refused(name):
    with contextlib.suppress(WheelsError):
        assert name in json.loads(manifest_of({**wheels_of("good"), name: wheel("x", "1", {})}, MACHINE))["wheels"]


def test_a_machine_is_typed_as_tags_have_it():
    assert machine_of("cp311", "aarch64", "2.36") == MACHINE
    for python, glibc in (("3.11", "2.36"), ("cp311", "2")):
        with pytest.raises(WheelsError, match="wanted as"):
            machine_of(python, "aarch64", glibc)
