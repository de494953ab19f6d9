"""Times to live and a deadline."""
from kfp import dsl


@dsl.component(base_image="python:3.11-slim")
def work():
    pass


@dsl.pipeline(
    name="config-ttl",
    pipeline_config=dsl.PipelineConfig(
        ttl_seconds_after_finished=3600,
        ttl_seconds_after_success=60,
        ttl_seconds_after_failure=2147483647,
        active_deadline_seconds=86400,
    ),
)
def config_ttl():
    work()
