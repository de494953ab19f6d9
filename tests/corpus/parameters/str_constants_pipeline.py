"""Strings of several lines and other awkward constants, passed to tasks rather than set as defaults."""
from kfp import dsl


@dsl.component(base_image="python:3.11-slim")
def show(text: str):
    print(text)


@dsl.pipeline(name="str-constants")
def str_constants():
    for text in (
        "two\nlines",
        "ends with a newline\n",
        "ends with two\n\n",
        "\nstarts with one",
        "  indented\nthen not",
        "not\n  then indented",
        "trailing space \nthen a line",
        "tab\n\tindented",
        "carriage\rreturn",
        "windows\r\nline ends\r\n",
        "# looks like a comment\nkey: value\n---\nother: document\n",
        "next line \x85, line separator \u2028, paragraph separator \u2029",
        "long " * 60 + "\n" + "x" * 300,
        "\n",
        "",
        "null",
        "1e3",
        "🚀\n🐍",
    ):
        show(text=text)
