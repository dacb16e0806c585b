"""Emotions of the people around a robot, from face and scene, on ROS 2."""

__version__ = "0.1.0"
