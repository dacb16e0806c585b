"""Inference back ends behind one protocol: named numpy arrays in, named numpy arrays out."""

from caer_ros.engines.base import Engine, TensorSpec
from caer_ros.engines.factory import BACKENDS, choose_backend, open_engine

__all__ = ["BACKENDS", "Engine", "TensorSpec", "choose_backend", "open_engine"]
