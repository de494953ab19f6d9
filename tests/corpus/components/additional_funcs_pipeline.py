"""Helper functions that travel with a component."""
from kfp import dsl


def clean(text: str) -> str:
    return text.strip().lower()


def tokens(text: str) -> list:
    """Splits, after `clean`."""
    return clean(text).split()


def decorated(function):
    return function


@decorated
def longest(words: list) -> str:
    return max(words, key=len)


@dsl.component(base_image="python:3.11-slim", additional_funcs=[clean, tokens, longest])
def count(text: str) -> int:
    print(longest(tokens(text)))
    return len(tokens(text))


@dsl.pipeline(name="additional-funcs")
def additional_funcs(text: str = "  One two THREE "):
    count(text=text)
