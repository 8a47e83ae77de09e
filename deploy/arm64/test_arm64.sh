#!/bin/sh
# The robot's real aarch64 wheels and tests under an emulated Pi 4 (cortex-a72) and Pi 5 (cortex-a76).
#   sh deploy/arm64/test_arm64.sh [BUNDLE] [--loop]
# BUNDLE: its model must answer its golden frames as the robot's health check wants them. --loop: a minute of the loop too (kernels compile slowly).
# Needs: apt install debootstrap qemu-user-static. The tree and the wheels stay in build/arm64 (about 1 GB).
set -eu
repository=$(cd "$(dirname "$0")/../.." && pwd)
build=${OXTURN_ARM64_BUILD:-$repository/build/arm64}
python=${PYTHON:-$repository/.venv/bin/python}
for tool in debootstrap qemu-aarch64-static dpkg-deb; do
    command -v "$tool" >/dev/null || { echo "$tool is missing: apt install debootstrap qemu-user-static" >&2; exit 1; }
done
bundle= loop=
for argument in "$@"; do
    case $argument in --loop) loop=yes ;; *) bundle=$argument ;; esac
done

if [ ! -e "$build/tree/.complete" ]; then # Debian 12's Python 3.11, unpacked and never run as root
    mkdir -p "$build" && rm -rf "$build/tree"
    debootstrap --arch=arm64 --foreign --variant=minbase \
        --include=python3,libpython3.11-stdlib,libstdc++6,libgomp1 bookworm "$build/tree" ${DEBIAN_MIRROR:-}
    for package in "$build"/tree/var/cache/apt/archives/*.deb; do dpkg-deb -x "$package" "$build/tree"; done
    cpus=$build/tree/sys/devices/system/cpu # onnxruntime asks it which Arm this is, and crashes without an answer
    for number in 0 1 2 3; do
        mkdir -p "$cpus/cpu$number/topology" "$cpus/cpu$number/cache/index0"
        echo "$number" >"$cpus/cpu$number/topology/core_id"
        echo 0 >"$cpus/cpu$number/topology/physical_package_id"
        echo 0-3 >"$cpus/cpu$number/topology/core_siblings_list"
        echo 1 >"$cpus/cpu$number/online"
    done
    for list in possible present online; do echo 0-3 >"$cpus/$list"; done
    touch "$build/tree/.complete"
fi
if [ ! -e "$build/site/.complete" ]; then # only wheels: a dependency without an aarch64 wheel fails here
    rm -rf "$build/site"
    "$python" "$repository/deploy/arm64/requirements.py" >"$build/requirements.txt"
    "$python" -m pip install --quiet --target "$build/site" --only-binary=:all: --python-version 3.11 --implementation cp \
        --platform manylinux_2_34_aarch64 --platform manylinux_2_28_aarch64 --platform manylinux_2_27_aarch64 \
        --platform manylinux2014_aarch64 \
        --platform manylinux_2_17_aarch64 -r "$build/requirements.txt"
    touch "$build/site/.complete"
fi
if [ -e "$build/site/torch" ]; then echo "the robot's dependencies bring torch" >&2; exit 1; fi
echo "robot extra for aarch64 with the test tools: $(du -sm "$build/site" | cut -f1) MB"

emulated() {
    processor=$1 && shift
    PYTHONPATH=$repository:$build/site PYTHONDONTWRITEBYTECODE=1 OMP_NUM_THREADS=1 NUMBA_CACHE_DIR=$build/kernels-$processor \
        qemu-aarch64-static -cpu "$processor" -L "$build/tree" "$build/tree/usr/bin/python3.11" "$@"
}
cd "$repository"
for processor in cortex-a72 cortex-a76; do
    echo "== $processor"
    emulated "$processor" deploy/arm64/imports.py
    # Tests that start no process of their own: the emulator does not follow them there.
    emulated "$processor" -m pytest -q -p no:cacheprovider -W ignore tests/deploy/drivers/test_ld19.py \
        tests/deploy/drivers/test_rplidar.py tests/deploy/drivers/test_turn_assembler.py \
        tests/deploy/drivers/test_motor_board.py tests/deploy/test_update_rules.py tests/deploy/test_bundle_archive.py \
        tests/deploy/test_tuf_attacks.py tests/deploy/test_ota_updater.py tests/deploy/test_model_runner.py
    if [ -n "$bundle" ]; then
        here=$("$python" deploy/arm64/answers.py "$bundle")
        there=$(emulated "$processor" deploy/arm64/answers.py "$bundle") || { echo "$there" >&2; exit 1; }
        [ "${here%% *}" = "${there%% *}" ] && bits=equal || bits="not equal: trained before its sums had no ties?"
        echo "$there; bits $bits"
    fi
    if [ -n "$loop" ]; then emulated "$processor" deploy/arm64/loop_minute.py; fi
done
