"""A pipeline defined while another is traced."""
from kfp import dsl


@dsl.component(base_image="python:3.11-slim")
def work():
    pass


@dsl.pipeline(name="nested-definition")
def nested_definition():

    @dsl.pipeline(name="inner")
    def inner():
        work()

    inner()
