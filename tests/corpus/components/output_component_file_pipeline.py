"""The deprecated option that also writes the component to a file, here into a temporary folder."""
import os
import tempfile

from kfp import dsl

with tempfile.TemporaryDirectory() as folder:

    @dsl.component(base_image="python:3.11-slim", output_component_file=os.path.join(folder, "component.yaml"))
    def saved(text: str) -> str:
        return text


@dsl.pipeline(name="output-component-file")
def output_component_file(text: str = "x"):
    saved(text=text)
