"""A description in the decorator beside one in the docstring."""
from kfp import dsl


@dsl.component(base_image="python:3.11-slim")
def work():
    pass


@dsl.pipeline(name="config-description-precedence", description="from the decorator")
def config_description_precedence():
    """from the docstring"""
    work()
