"""The API of the SDK's version 1: components made from functions."""
import kfp
from kfp.components import create_component_from_func


def add(a: float, b: float) -> float:
    return a + b


add_op = create_component_from_func(add)


@kfp.dsl.pipeline(name="v1")
def v1():
    add_op(1, 2)
