"""A sub-pipeline with a configuration of its own."""
from kfp import dsl


@dsl.component(base_image="python:3.11-slim")
def work():
    pass


@dsl.pipeline(name="inner-config", pipeline_config=dsl.PipelineConfig(ttl_seconds_after_finished=60))
def inner():
    work()


@dsl.pipeline(name="config-inner", pipeline_config=dsl.PipelineConfig(active_deadline_seconds=100))
def outer():
    inner()
