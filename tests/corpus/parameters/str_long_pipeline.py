"""Very long strings: one word of 10,000 characters, and prose of 20,000."""
from kfp import dsl


@dsl.component(base_image="python:3.11-slim")
def length(text: str) -> int:
    return len(text)


@dsl.pipeline(name="str-long")
def str_long(
    word: str = "x" * 10_000,
    prose: str = "The quick brown fox jumps over the lazy dog. " * 450,
    emoji: str = "🚀" * 500,
):
    length(text=word)
    length(text=prose)
    length(text=emoji)
