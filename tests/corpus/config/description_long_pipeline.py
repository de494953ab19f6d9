"""A description of thirty thousand characters."""
from kfp import dsl


@dsl.component(base_image="python:3.11-slim")
def work():
    pass


@dsl.pipeline(name="config-description-long", description="A long sentence about the pipeline. " * 850)
def config_description_long():
    work()
