"""Embeds a folder that is not there."""
from kfp import dsl


@dsl.component(base_image="python:3.11-slim", embedded_artifact_path="no/such/folder")
def work(data: dsl.EmbeddedInput[dsl.Dataset]):
    pass
