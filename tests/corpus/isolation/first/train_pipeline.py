"""Has a namesake in the next folder, and so has its helper."""
from common import IMAGE
from common import work
from kfp import dsl


@dsl.pipeline(name="isolation-first")
def train():
    work(text=f"first {IMAGE}")
