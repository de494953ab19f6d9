"""Everything from a sibling by star, its component included."""
from helpers import *  # noqa: F403
from kfp import dsl


@dsl.pipeline(name="sibling-star-import")
def star_import():
    greet(text="star")  # noqa: F405
