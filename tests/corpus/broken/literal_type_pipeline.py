"""A typing.Literal, which version 2.17 of the SDK does not know."""
from typing import Literal

from kfp import dsl


@dsl.component(base_image="python:3.11-slim")
def work(size: Literal["small", "large"]):
    pass
