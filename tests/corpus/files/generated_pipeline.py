"""Pipelines made in a loop and put into the module's names."""
from kfp import dsl


@dsl.component(base_image="python:3.11-slim")
def work(region: str):
    pass


def make(region: str):

    @dsl.pipeline(name=f"generated-{region}")
    def generated():
        work(region=region)

    return generated


for _region in ("eu", "us", "ap"):
    globals()[f"pipeline_{_region}"] = make(_region)
