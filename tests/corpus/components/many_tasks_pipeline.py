"""Five hundred tasks in one graph."""
from kfp import dsl


@dsl.component(base_image="python:3.11-slim")
def step(number: int, other: int = 0) -> int:
    return number + other


@dsl.pipeline(name="many-tasks")
def many_tasks():
    tasks = [step(number=0)]
    for number in range(1, 500):
        tasks.append(step(number=tasks[-1].output, other=tasks[number // 2].output))
