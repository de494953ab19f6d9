"""A default with characters that YAML does not allow, not even in a comment."""
from kfp import dsl


@dsl.component(base_image="python:3.11-slim")
def show(text: str):
    print(text)


@dsl.pipeline(name="malformed-control-character-default")
def control_character_default(text: str = "\x1b[31mred\x1b[0m\x07\x00\ufffe"):
    show(text=text)
