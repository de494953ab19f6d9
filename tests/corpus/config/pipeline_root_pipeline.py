"""A pipeline root, also inside a sub-pipeline."""
from kfp import dsl


@dsl.component(base_image="python:3.11-slim")
def work():
    pass


@dsl.pipeline(name="inner-root", pipeline_root="s3://inner/root")
def inner():
    work()


@dsl.pipeline(name="config-pipeline-root", pipeline_root="minio://mlpipeline/größe/{{$.pipeline_job_uuid}}")
def config_pipeline_root():
    inner()
