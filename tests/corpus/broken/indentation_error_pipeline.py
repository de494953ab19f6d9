"""A line indented too far."""
from kfp import dsl


def work():
    a = 1
      b = 2
    return a + b
