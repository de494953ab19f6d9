"""A deadline alone."""
from kfp import dsl


@dsl.component(base_image="python:3.11-slim")
def work():
    pass


@dsl.pipeline(name="config-deadline", pipeline_config=dsl.PipelineConfig(active_deadline_seconds=1))
def config_deadline():
    work()
