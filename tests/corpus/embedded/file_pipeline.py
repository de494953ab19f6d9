"""A file that travels inside the component."""
import pathlib

from kfp import dsl

HERE = pathlib.Path(__file__).parent


@dsl.component(base_image="python:3.11-slim", embedded_artifact_path=str(HERE / "assets" / "labels.json"))
def classify(text: str, labels: dsl.EmbeddedInput[dsl.Dataset]) -> str:
    import json

    with open(labels.path) as file:
        return json.load(file)[len(text) % 2]


@dsl.pipeline(name="embedded-file")
def embedded_file(text: str = "x"):
    classify(text=text)
