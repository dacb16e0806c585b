"""Model bundles (a folder with model.yaml and ONNX files): read, verify, find, install."""

from caer_ros.bundles.bundle import Bundle, read_bundle
from caer_ros.bundles.files import sha256_of, write_atomically
from caer_ros.bundles.store import find_bundle, list_bundles, user_folder

__all__ = [
    "Bundle",
    "find_bundle",
    "list_bundles",
    "read_bundle",
    "sha256_of",
    "user_folder",
    "write_atomically",
]
