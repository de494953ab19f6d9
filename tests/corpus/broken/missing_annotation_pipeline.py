"""A component input without a type."""
from kfp import dsl


@dsl.component(base_image="python:3.11-slim")
def work(text):
    pass
