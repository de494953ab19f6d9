"""Floating point defaults and constants."""
from kfp import dsl


@dsl.component(base_image="python:3.11-slim")
def scale(value: float, by: float = 0.1) -> float:
    return value * by


@dsl.pipeline(name="float-defaults")
def float_defaults(
    zero: float = 0.0,
    minus_zero: float = -0.0,
    tenth: float = 0.1,
    third: float = 1 / 3,
    sum_: float = 0.1 + 0.2,
    whole: float = 3.0,
    integer: float = 3,
    small: float = 1e-10,
    smallest: float = 5e-324,
    large: float = 1e22,
    largest: float = 1.7976931348623157e308,
    negative: float = -2.5e-3,
    learning_rate: float = 2e-4,
    big_whole: float = 1e16,
):
    scale(value=tenth)
    scale(value=small, by=3.141592653589793)
    scale(value=whole, by=1e-7)
    scale(value=2.0, by=100.0)
