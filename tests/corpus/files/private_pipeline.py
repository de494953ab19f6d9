"""Private names: one pipeline with an underscore, one without, one dunder."""
from kfp import dsl


@dsl.component(base_image="python:3.11-slim")
def _work():
    pass


@dsl.pipeline(name="private-hidden")
def _hidden():
    _work()


@dsl.pipeline(name="private-public")
def public():
    _hidden()
