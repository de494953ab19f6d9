"""Integers, which the compiler stores as floating point numbers."""
from kfp import dsl


@dsl.component(base_image="python:3.11-slim")
def add(a: int, b: int) -> int:
    return a + b


@dsl.pipeline(name="int-defaults")
def int_defaults(
    zero: int = 0,
    one: int = 1,
    negative: int = -1,
    million: int = 1_000_000,
    exact_limit: int = 2**53,
    beyond_exact: int = 2**53 + 1,
    int64_max: int = 2**63 - 1,
    int64_min: int = -(2**63),
    large: int = 10**21,
    larger: int = 10**100,
    from_bool: int = True,
):
    first = add(a=zero, b=negative)
    add(a=first.output, b=12345678901234567890)
    add(a=7, b=large)
