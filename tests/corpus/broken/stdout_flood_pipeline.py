"""Prints a hundred megabytes, and then is a good pipeline."""
import sys

from kfp import dsl

line = "x" * 1023 + "\n"
for _ in range(50 * 1024):
    sys.stdout.write(line)
    sys.stderr.write(line)


@dsl.component(base_image="python:3.11-slim")
def work():
    pass


@dsl.pipeline(name="stdout-flood")
def stdout_flood():
    work()
