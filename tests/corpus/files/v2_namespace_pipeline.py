"""Imports from the namespace that early versions of the SDK had, which still works and warns."""
from kfp.v2 import dsl


@dsl.component(base_image="python:3.11-slim")
def work():
    pass


@dsl.pipeline(name="v2-namespace")
def v2_namespace():
    work()
