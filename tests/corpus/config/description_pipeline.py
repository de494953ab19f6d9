"""A description with everything that might upset the header comment or YAML."""
from kfp import dsl


@dsl.component(base_image="python:3.11-slim")
def work():
    pass


@dsl.pipeline(
    name="config-description",
    description="First line: with a colon, \"quotes\", 'quotes' and a # sign\n---\nkey: value\n\n  indented 🚀 größe\ttab\n...\n"
    "a\x0bvertical tab, a\x0cform feed, a \u2028 line separator, a \u2029 paragraph separator and a \x85 next line, \r\nend  ",
)
def config_description():
    work()
