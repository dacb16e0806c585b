"""Installs caer_ros: by colcon on a robot, by pip in a virtual environment.

The metadata lives here and not in pyproject.toml: colcon reads entry points from setup.py only as
long as pyproject.toml has no [project] table.
"""

import os
from glob import glob

from setuptools import find_packages, setup

PACKAGE = "caer_ros"


def shared(folder, pattern="**/*"):
    """data_files entries that put the files below `folder` at share/caer_ros/<same path>."""
    by_folder = {}
    for path in sorted(glob(os.path.join(folder, pattern), recursive=True)):
        if os.path.isfile(path):
            by_folder.setdefault(os.path.dirname(path), []).append(path)
    return [(os.path.join("share", PACKAGE, where), files) for where, files in by_folder.items()]


# Only the robot side: enough to run the node or `caer run` on a CPU.
ROBOT = [
    "numpy>=1.21",
    # Headless: the same library without its windows, which nothing here opens, so that it imports
    # on a robot or in a container without libGL. Below 5: JetPack, Debian and Ubuntu ship 4.x.
    "opencv-python-headless>=4.5,<5",
    # Only `caer models install` uses it, to fit a published face detector to our inputs.
    "onnx>=1.14",
    "onnxruntime>=1.16",
    "pyyaml>=5.4",
    "tqdm>=4.60",
]

EXTRAS = {
    # The faster CPU backend; used by itself where it is installed.
    "openvino": ["openvino>=2024.4"],
    # Ids for people. Pure Python, but it brings scipy: 140 MB on disk, 30 MB in memory.
    "tracking": ["norfair-enough>=2.4,<3"],
    # Recordings of ROS 2 read without ROS.
    "bags": ["rosbags>=0.11"],
    # The workshop: datasets, training, export, quantisation, evaluation.
    "train": [
        "imagehash>=4.3",
        "lightning-fabric>=2.2",
        "matplotlib>=3.5",
        "pillow>=9",
        # COCO's own average precision, for the detection of people.
        "pycocotools>=2.0.6",
        "safetensors>=0.4",
        # Plain scenedetect brings another OpenCV beside the headless one.
        "scenedetect-headless>=0.7,<0.8",
        "scikit-learn>=1.3",
        "scipy>=1.9",
        "tensorboard>=2.14",
        "torch>=2.4",
    ],
    # On a Jetson TensorRT comes with JetPack, and pycuda may take the place of cuda-bindings.
    "tensorrt": ["tensorrt>=10.3", "cuda-bindings>=12.8"],
    # For `caer build --check`: TensorRT's parser and builder without a GPU, 95 MB.
    "trt-check": ["tensorrt-rtx-cu13-bindings>=1.7.1", "tensorrt-rtx-cu13-libs>=1.7.1"],
    "dev": [
        "hypothesis>=6.80",
        "import-linter>=2.0",
        "mypy>=1.10",
        "pytest>=7.4",
        "ruff>=0.6",
        # Triton's published protobuf, in 0.1 MB; without its [grpc].
        "tritonclient>=2.50",
        "types-PyYAML",
        "types-protobuf",
    ],
}

setup(
    name=PACKAGE,
    version="0.1.0",
    description="Emotions of the people around a robot, from face and scene, on ROS 2.",
    license="Apache-2.0",
    maintainer="caer_ros developers",
    maintainer_email="caer-ros@example.com",
    python_requires=">=3.10",
    packages=find_packages(include=[PACKAGE, PACKAGE + ".*"]),
    data_files=[
        ("share/ament_index/resource_index/packages", ["resource/" + PACKAGE]),
        ("share/" + PACKAGE, ["package.xml"]),
        # Read where a bag is written on a machine without the built messages.
        *shared("caer_msgs/msg", "*.msg"),
        *shared("launch", "*.launch.py"),
        *shared("config"),
        *shared("rviz"),
        *shared("foxglove"),
        *shared("sros2"),
        *shared("models"),
    ],
    install_requires=ROBOT,
    extras_require=EXTRAS,
    zip_safe=False,
    entry_points={
        "console_scripts": [
            "caer = caer_ros.cli.main:main",
            "emotion_node = caer_ros.ros.emotion_node:main",
            "image_player = caer_ros.ros.image_player:main",
        ]
    },
)
