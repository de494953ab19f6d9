"""String defaults that YAML readers take for something else when they are not quoted."""
from kfp import dsl

IMAGE = "python:3.11-slim"


@dsl.component(base_image=IMAGE)
def show(text: str) -> str:
    return text


@dsl.pipeline(name="str-yaml-traps")
def str_yaml_traps(
    exponent: str = "1e3",
    exponent_dot: str = "1.5e+3",
    octal_new: str = "0o10",
    octal_old: str = "010",
    hexadecimal: str = "0xFF",
    binary: str = "0b101",
    underscores: str = "1_000",
    sexagesimal: str = "12:30:45",
    sexagesimal_float: str = "1:30.5",
    date: str = "2024-02-29",
    timestamp: str = "2024-02-29T12:30:45Z",
    timestamp_space: str = "2024-02-29 12:30:45 +02:00",
    integer: str = "42",
    negative: str = "-7",
    plus: str = "+7",
    decimal: str = "3.0",
    dot_only: str = ".",
    leading_dot: str = ".5",
    trailing_dot: str = "5.",
    nan: str = "NaN",
    nan_yaml: str = ".nan",
    infinity: str = ".inf",
    minus_infinity: str = "-.Inf",
    null_word: str = "null",
    null_upper: str = "NULL",
    tilde: str = "~",
    none_word: str = "None",
    yes: str = "yes",
    no: str = "no",
    on: str = "on",
    off: str = "Off",
    y: str = "y",
    n: str = "N",
    true: str = "true",
    false: str = "FALSE",
    empty: str = "",
):
    for value in (exponent, octal_new, underscores, sexagesimal, nan, null_word, tilde, yes, empty):
        show(text=value)
