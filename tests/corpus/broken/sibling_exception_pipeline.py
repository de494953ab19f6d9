"""Imports a sibling that fails."""
from kfp import dsl
from sibling_raises import work


@dsl.pipeline(name="sibling-exception")
def sibling_exception():
    work()
