"""A description with such characters."""
from kfp import dsl


@dsl.component(base_image="python:3.11-slim")
def show(text: str):
    print(text)


@dsl.pipeline(name="malformed-control-character-description", description="bell \x07 escape \x1b[1mbold\x1b[0m")
def control_character_description():
    show(text="x")
