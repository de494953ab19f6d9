"""A parenthesis too few."""
from kfp import dsl


@dsl.pipeline(name="syntax-error"
def broken():
    pass
