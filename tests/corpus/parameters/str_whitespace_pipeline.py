"""String defaults where only white space differs."""
from kfp import dsl


@dsl.component(base_image="python:3.11-slim")
def show(text: str):
    print(repr(text))


@dsl.pipeline(name="str-whitespace")
def str_whitespace(
    space: str = " ",
    spaces: str = "     ",
    leading: str = "  leading",
    trailing: str = "trailing  ",
    inner: str = "a   b",
    tab: str = "\t",
    tab_inner: str = "a\tb",
    tab_leading: str = "\ta",
    fold_width: str = "word " * 30,
):
    show(text=space)
    show(text=trailing)
    show(text=tab_inner)
    show(text="bell \x07, escape \x1b[31mred\x1b[0m, delete \x7f, null \x00")
