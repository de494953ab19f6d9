"""A component whose source is a hundred kilobytes."""
import linecache
import types

from kfp import dsl

SOURCE = "def large(text: str) -> str:\n" + "".join(
    f"    value_{number} = 'line {number} of a body that goes on and on'\n" for number in range(2000)
) + "    return text\n"

linecache.cache["<large>"] = (len(SOURCE), None, SOURCE.splitlines(True), "<large>")
namespace = types.SimpleNamespace()
exec(compile(SOURCE, "<large>", "exec"), vars(namespace))
large = dsl.component(namespace.large, base_image="python:3.11-slim")


@dsl.pipeline(name="large-body")
def large_body(text: str = "x"):
    large(text=text)
