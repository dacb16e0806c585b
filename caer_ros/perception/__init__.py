"""From a frame to people with emotions: detection, preprocessing, decoding, drawing. No ROS."""

from caer_ros.perception.overlay import draw_overlay
from caer_ros.perception.pipeline import STAGES, Pipeline, Result
from caer_ros.perception.pipeline_config import PipelineConfig

__all__ = ["STAGES", "Pipeline", "PipelineConfig", "Result", "draw_overlay"]
