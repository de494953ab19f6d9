"""Not a number as a default, which JSON cannot say."""
from kfp import dsl


@dsl.component(base_image="python:3.11-slim")
def work(ratio: float):
    pass


@dsl.pipeline(name="nan-default")
def nan_default(ratio: float = float("nan")):
    work(ratio=ratio)
