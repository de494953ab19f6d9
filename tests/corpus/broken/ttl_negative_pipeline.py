"""A time to live that is negative."""
from kfp import dsl

CONFIG = dsl.PipelineConfig(ttl_seconds_after_finished=-1)
