"""Turns warnings into errors, and then uses what is deprecated."""
import warnings

from kfp import dsl

warnings.simplefilter("error")


@dsl.component
def work():
    pass
