"""The cache of engines with real files, processes and kills; only the build itself is fake."""

import hashlib
import json
import os
import resource
import signal
import subprocess
import sys
import textwrap
import time
from dataclasses import replace
from pathlib import Path

import pytest

from caer_ros.core import EngineBuildError, EngineMismatch
from caer_ros.engines.trt.cache import Built, EngineCache
from caer_ros.engines.trt.key import SideFile

# A process that builds the engine of `key.json` in folder argv[1]; argv[2] is its program's end.
_BUILDER = """
import json, os, sys, time
from pathlib import Path
from caer_ros.engines.trt.cache import Built, EngineCache
from caer_ros.engines.trt.key import SideFile

folder = Path(sys.argv[1])
side = SideFile.from_json((folder.parent / "side.json").read_bytes())

def build(timing_cache, say):
    with (folder.parent / "builds").open("a") as log:
        log.write(f"{os.getpid()}\\n")
    say("timing kernels")
    %s
    return Built(b"plan", side, b"timings")

def say(line):
    print(line, file=sys.stderr, flush=True)

engine = EngineCache(folder).build_once(side.key, build, say)
print(engine.read().decode(), flush=True)
"""


@pytest.fixture
def folder(tmp_path, side_for):
    (tmp_path / "side.json").write_bytes(side_for().to_json())
    return tmp_path / "engines"


@pytest.fixture
def start(folder):
    """start(lines): a process that builds, doing `lines` of Python in the middle."""
    running = []

    def begin(lines="pass"):
        code = _BUILDER % textwrap.indent(lines, "    ").strip()
        process = subprocess.Popen(
            [sys.executable, "-c", code, str(folder)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        running.append(process)
        return process

    yield begin
    for process in running:
        process.kill()
        process.wait()


def _builds(folder):
    log = folder.parent / "builds"
    return log.read_text().split() if log.exists() else []


def _wait_for(condition, seconds=20.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "took too long"
        time.sleep(0.02)


def _build(side, plan=b"plan"):
    return lambda timing_cache, say: Built(plan, side, b"timings")


def _never(timing_cache, say):
    raise AssertionError("built again")


def test_what_was_built_is_found_whole_and_not_built_again(folder, side_for):
    cache, side = EngineCache(folder), side_for()
    built = cache.build_once(side.key, _build(side), print)
    assert cache.build_once(side.key, _never, print) == built
    found = cache.find("0" * 64, side.key.machine, "caer build x")
    assert found.read() == b"plan"
    assert found.side == side
    assert cache.holds_any(side.key.machine)
    assert sorted(p.suffix for p in folder.iterdir()) == [".cache", ".engine", ".json", ".lock"]


def test_the_next_build_gets_the_timing_cache(folder, side_for):
    cache, seen = EngineCache(folder), []
    for precision in ("fp32", "int8"):
        side = side_for(precision=precision)

        def build(timing_cache, say, side=side):
            seen.append(timing_cache)
            return Built(b"plan", side, b"timings")

        cache.build_once(side.key, build, print)
    assert seen == [b"", b"timings"]


@pytest.mark.parametrize(
    "change",
    [
        {"onnx_sha256": "1" * 64},
        {"precision": "fp16"},
        {"profile": "people=4,scenes=1"},
        {"options": "dla=0"},
        {"machine": {"driver": "550.1"}},
        {"machine": {"cuda": "13.0"}},
        {"machine": {"gpu": "NVIDIA H100"}},
        {"machine": {"compute_capability": "9.0"}},
        {"machine": {"tensorrt": "10.16.1"}},
    ],
)
def test_whatever_changes_means_another_engine(side_for, orin, change):
    if "machine" in change:
        change = {"machine": replace(orin, **change["machine"])}
    assert side_for(**change).key.stem != side_for().key.stem


def test_an_engine_of_another_machine_is_refused_and_says_what_differs(folder, side_for, orin):
    cache, side = EngineCache(folder), side_for()
    cache.build_once(side.key, _build(side), print)
    here = replace(orin, gpu="NVIDIA GeForce RTX 3060", compute_capability="8.6")
    with pytest.raises(
        EngineMismatch, match=r"GPU Orin, here it is NVIDIA GeForce RTX 3060.*Run: caer build x"
    ):
        cache.find("0" * 64, here, "caer build x")
    with pytest.raises(EngineMismatch, match=r"TensorRT 10\.3\.0, here it is 11\.4\.0"):
        cache.find("0" * 64, replace(orin, tensorrt="11.4.0"), "caer build x")
    with pytest.raises(EngineMismatch, match=r"No TensorRT engine has been built yet"):
        cache.find("2" * 64, orin, "caer build x")
    assert not cache.holds_any(here)


def test_a_portable_engine_fits_newer_gpus_and_nothing_else(folder, side_for, orin):
    cache, side = EngineCache(folder), side_for(options="portable")
    cache.build_once(side.key, _build(side), print)
    other = replace(orin, gpu="NVIDIA L4", compute_capability="8.9")
    assert cache.find("0" * 64, other, "x").side == side
    with pytest.raises(EngineMismatch, match=r"compute capability 8\.7, here it is 7\.5"):
        cache.find("0" * 64, replace(orin, gpu="T4", compute_capability="7.5"), "x")
    with pytest.raises(EngineMismatch, match="driver"):
        cache.find("0" * 64, replace(other, driver="1"), "x")


def test_of_several_engines_the_last_one_built_is_taken(folder, side_for, orin):
    cache = EngineCache(folder)
    for age, profile in ((100, "people=1"), (0, "people=4"), (50, "people=8")):
        side = side_for(profile=profile)
        path = cache.build_once(side.key, _build(side), print).path.with_suffix(".json")
        os.utime(path, (time.time() - age,) * 2)
    assert cache.find("0" * 64, orin, "x").side.key.profile == "people=4"


@pytest.mark.parametrize("damage", ["truncated", "changed", "gone", "empty"])
def test_a_damaged_engine_is_found_out_before_use_and_built_again(folder, side_for, orin, damage):
    cache, side = EngineCache(folder), side_for()
    path = cache.build_once(side.key, _build(side), print).path
    if damage == "gone":
        path.unlink()
    else:
        path.write_bytes({"truncated": b"pla", "changed": b"plun", "empty": b""}[damage])
    with pytest.raises(EngineMismatch, match=r"damaged .*Run: caer build me"):
        cache.find("0" * 64, orin, "caer build me").read()
    assert cache.build_once(side.key, _build(side), print).read() == b"plan"


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"null", b'{"key": {}}', b"\xff\xfe", b'{"key": 3}']
)
def test_a_damaged_side_file_is_as_good_as_none(folder, side_for, orin, content):
    cache, side = EngineCache(folder), side_for()
    path = cache.build_once(side.key, _build(side), print).path.with_suffix(".json")
    path.write_bytes(content)
    with pytest.raises(EngineMismatch, match="No TensorRT engine"):
        cache.find("0" * 64, orin, "x")
    with pytest.raises(ValueError, match="side file"):
        SideFile.from_json(content or b"[]")
    assert cache.build_once(side.key, _build(side), print).read() == b"plan"


def test_a_side_file_of_another_engine_does_not_vouch(folder, side_for):
    """As after a kill between the two renames."""
    cache, side = EngineCache(folder), side_for()
    path = cache.build_once(side.key, _build(side), print).path
    raw = json.loads(path.with_suffix(".json").read_text())
    raw["engine_sha256"] = hashlib.sha256(b"ralp").hexdigest()
    path.with_suffix(".json").write_text(json.dumps(raw))
    assert cache.whole(side.key) is None


def test_two_processes_build_once_and_the_second_waits_and_says_so(folder, start):
    first = start("""
while not (folder.parent / "go").exists():
    time.sleep(0.02)
""")
    _wait_for(lambda: _builds(folder))
    second = start()
    assert second.stderr is not None
    line = second.stderr.readline()
    assert f"waiting for another build, 0 s (process {first.pid}: " in line
    assert "timing kernels" in line
    (folder.parent / "go").touch()
    assert [p.communicate(timeout=20)[0] for p in (first, second)] == ["plan\n"] * 2
    assert _builds(folder) == [str(first.pid)]


def test_a_killed_builder_frees_the_lock_and_leaves_nothing_half(folder, start):
    first = start("""
for name in (side.key.stem, "another"):
    (folder / f".{name}.engine.part").write_bytes(b"pl")
(folder.parent / "half").touch()
time.sleep(60)
""")
    _wait_for(lambda: (folder.parent / "half").exists())
    second = start()
    assert second.stderr is not None
    assert "waiting" in second.stderr.readline()
    os.kill(first.pid, signal.SIGKILL)
    assert second.communicate(timeout=20)[0] == "plan\n"
    assert len(_builds(folder)) == 2
    assert not list(folder.glob(".*"))


def test_a_build_that_fails_leaves_the_next_one_free(folder, side_for):
    cache, side = EngineCache(folder), side_for()

    def fails(timing_cache, say):
        raise EngineBuildError("no")

    with pytest.raises(EngineBuildError, match="no"):
        cache.build_once(side.key, fails, print)
    assert cache.build_once(side.key, _build(side), print).read() == b"plan"


def test_a_full_disk_is_one_clear_error_and_leaves_the_old_engine(folder, side_for):
    """The kernel refuses to write: a limit on the size of files acts as a full disk does."""
    cache, old, new = EngineCache(folder), side_for(b"old"), side_for(b"new" * 9999)
    cache.build_once(old.key, _build(old, b"old"), print)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, limits[1]))
    try:
        with pytest.raises(EngineBuildError, match=r"disk is full.*CAER_HOME"):
            cache.build_once(new.key, _build(new, b"new" * 9999), print, anew=True)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, before)
    assert cache.whole(old.key).read() == b"old"
    assert not list(folder.glob(".*"))


def test_a_full_file_system_is_one_clear_error(tmp_path, side_for):
    """The real thing, where this process may mount."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk)]
    done = subprocess.run(mount, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"no tmpfs can be mounted here: {done.stderr.strip()}")
    try:
        plan = b"x" * 200_000
        side = side_for(plan)
        with pytest.raises(EngineBuildError, match="disk is full"):
            EngineCache(disk / "e").build_once(side.key, _build(side, plan), print)
        assert not list((disk / "e").glob("*.engine")) + list((disk / "e").glob(".*"))
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_a_folder_that_can_not_be_written_is_told_before_the_build(tmp_path, side_for):
    (tmp_path / "file").write_text("")
    side = side_for()
    with pytest.raises(EngineBuildError, match=r"can not be written to .*CAER_HOME"):
        EngineCache(tmp_path / "file" / "engines").build_once(side.key, _never, print)
    if os.getuid() == 0:
        return  # root may write everywhere
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o500)
    with pytest.raises(EngineBuildError, match="Permission denied"):
        EngineCache(locked).build_once(side.key, _never, print)


def test_a_whole_engine_in_a_read_only_folder_is_used(folder, side_for, monkeypatch):
    cache, side = EngineCache(folder), side_for()
    cache.build_once(side.key, _build(side), print)
    monkeypatch.setattr(
        "caer_ros.engines.trt.cache.must_be_writable", lambda folder: pytest.fail("asked")
    )
    assert cache.build_once(side.key, _never, print).read() == b"plan"


def test_the_folder_follows_caer_home(monkeypatch, tmp_path):
    monkeypatch.setenv("CAER_HOME", str(tmp_path))
    assert EngineCache().folder == tmp_path / "cache" / "tensorrt"
    monkeypatch.delenv("CAER_HOME")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "x"))
    assert EngineCache().folder == tmp_path / "x" / "caer_ros" / "tensorrt"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert EngineCache().folder == Path(tmp_path, "home", ".cache", "caer_ros", "tensorrt")
