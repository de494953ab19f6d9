"""A folder with a module that travels inside the component, beside ordinary inputs."""
import os

from kfp import dsl
from kfp.dsl import Dataset, Input, Output

ASSETS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "assets")


@dsl.component(base_image="python:3.11-slim")
def make(data: Output[Dataset]):
    pass


@dsl.component(base_image="python:3.11-slim", embedded_artifact_path=ASSETS)
def count(data: Input[Dataset], assets: dsl.EmbeddedInput[dsl.Artifact], prefix: str = "n") -> str:
    from rules import label

    return label(prefix)


@dsl.pipeline(name="embedded-folder")
def embedded_folder():
    count(data=make().outputs["data"])
