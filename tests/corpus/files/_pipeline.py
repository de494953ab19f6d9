"""The shortest file name that matches."""
from kfp import dsl


@dsl.component(base_image="python:3.11-slim")
def work():
    pass


@dsl.pipeline(name="file-shortest")
def shortest():
    work()
