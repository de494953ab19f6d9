"""A whole number where a fraction is expected, which the SDK does not convert."""
from kfp import dsl


@dsl.component(base_image="python:3.11-slim")
def consume(ratio: float):
    pass


@dsl.pipeline(name="type-mismatch-constant")
def type_mismatch_constant():
    consume(
        ratio=2,
    )
