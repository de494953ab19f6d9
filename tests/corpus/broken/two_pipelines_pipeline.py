"""Two pipelines, which the command line tool refuses to choose from."""
from kfp import dsl


@dsl.component(base_image="python:3.11-slim")
def work():
    pass


@dsl.pipeline(name="first-of-two")
def first():
    work()


@dsl.pipeline(name="second-of-two")
def second():
    work()
