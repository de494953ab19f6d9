"""Sets what the component did not ask to be passed through."""
from kfp import dsl


@dsl.component(base_image="python:3.11-slim", task_config_passthroughs=[dsl.TaskConfigField.ENV])
def launch(config: dsl.TaskConfig):
    pass


@dsl.pipeline(name="task-config-not-passed")
def task_config_not_passed():
    launch().set_cpu_limit("1")
