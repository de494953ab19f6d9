"""Environment variables with awkward values, and one set twice."""
from kfp import dsl


@dsl.component(base_image="python:3.11-slim")
def work():
    pass


@dsl.container_component
def shell():
    return dsl.ContainerSpec(image="alpine:3.20", command=["env"])


@dsl.pipeline(name="task-env")
def task_env():
    task = work()
    for name, value in {
        "PLAIN": "value",
        "EMPTY": "",
        "NUMBER": "1e3",
        "BOOL": "true",
        "NULL": "null",
        "LINES": "a\nb\n",
        "SPACES": "  x  ",
        "QUOTES": """it's "quoted" """,
        "DOLLAR": "$(OTHER) ${OTHER} $$",
        "UNICODE": "größe 🚀",
        "LONG": "x" * 1000,
        "lower_case": "y",
        "DOTTED.NAME-DASH": "z",
    }.items():
        task.set_env_variable(name, value)
    shell().set_env_variable("A", "1").set_env_variable("A", "2").set_env_variable(name="B", value="3")
