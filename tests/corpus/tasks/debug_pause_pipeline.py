"""Tasks that pause for a person to look around."""
from kfp import dsl


@dsl.component(base_image="python:3.11-slim")
def work():
    pass


@dsl.pipeline(name="task-debug-pause")
def task_debug_pause():
    work().set_debug_pause()
    work().set_debug_pause(before=True, after=False)
    work().set_debug_pause(before=True)
    work().set_debug_pause(on_error=True)
