"""A name with capitals, spaces and other characters, which the compiler replaces."""
from kfp import dsl


@dsl.component(base_image="python:3.11-slim")
def work():
    pass


@dsl.pipeline(name="  My Größe: Pipeline (v2.0)! ", display_name="My Größe: Pipeline (v2.0)!")
def name_transformed():
    work()
