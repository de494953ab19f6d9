"""Has a namesake in the folder before, and so has its helper."""
from common import IMAGE
from common import work
from kfp import dsl


@dsl.pipeline(name="isolation-second")
def train():
    work(text=f"second {IMAGE}")
