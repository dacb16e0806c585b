"""From a frame to people with emotions: detection, preprocessing, decoding, drawing. No ROS."""

from caer_ros.perception.overlay import draw_overlay
from caer_ros.perception.pipeline import Pipeline
from caer_ros.perception.pipeline_config import PipelineConfig
from caer_ros.perception.scene import STAGES, Result, Scene

__all__ = ["STAGES", "Pipeline", "PipelineConfig", "Result", "Scene", "draw_overlay"]
