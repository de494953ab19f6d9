"""Times to live of zero, and no settings at all, which leave no second document."""
from kfp import dsl


@dsl.component(base_image="python:3.11-slim")
def work():
    pass


@dsl.pipeline(
    name="config-ttl-zero",
    pipeline_config=dsl.PipelineConfig(ttl_seconds_after_finished=0, active_deadline_seconds=0),
)
def config_ttl_zero():
    work()
