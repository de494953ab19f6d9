"""One pipeline under two names."""
from kfp import dsl


@dsl.component(base_image="python:3.11-slim")
def work():
    pass


@dsl.pipeline(name="alias")
def original():
    work()


also = original
