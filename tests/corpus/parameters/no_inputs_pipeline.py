"""A pipeline without parameters and a component without inputs."""
from kfp import dsl


@dsl.component(base_image="python:3.11-slim")
def hello():
    print("hello")


@dsl.pipeline(name="no-inputs")
def no_inputs():
    hello()
