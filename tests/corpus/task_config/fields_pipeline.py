"""Components that pass a task's settings on to a workload of their own."""
from kfp import dsl
from kfp import kubernetes


@dsl.component(
    base_image="python:3.11-slim",
    packages_to_install=["kubernetes==31.0.0"],
    task_config_passthroughs=[
        dsl.TaskConfigField.RESOURCES,
        dsl.TaskConfigField.KUBERNETES_TOLERATIONS,
        dsl.TaskConfigField.KUBERNETES_NODE_SELECTOR,
        dsl.TaskConfigField.KUBERNETES_AFFINITY,
        dsl.TaskConfigPassthrough(field=dsl.TaskConfigField.ENV, apply_to_task=True),
        dsl.TaskConfigPassthrough(field=dsl.TaskConfigField.KUBERNETES_VOLUMES, apply_to_task=True),
    ],
)
def launch(nodes: int, model: dsl.Output[dsl.Model], task_config: dsl.TaskConfig):
    print(task_config.resources, task_config.env, task_config.volumes)


@dsl.component(base_image="python:3.11-slim", task_config_passthroughs=[dsl.TaskConfigField.ENV])
def only_env(config: dsl.TaskConfig) -> str:
    return str(config.env)


@dsl.pipeline(name="task-config-fields")
def task_config_fields(nodes: int = 2):
    task = launch(nodes=nodes)
    task.set_cpu_limit("4").set_memory_request("8Gi").set_accelerator_type("nvidia.com/gpu").set_accelerator_limit(2)
    task.set_env_variable("NCCL_DEBUG", "INFO")
    kubernetes.add_toleration(task, key="nvidia.com/gpu", operator="Exists")
    kubernetes.add_node_selector(task, "zone", "a")
    kubernetes.add_node_affinity(task, match_expressions=[{"key": "zone", "operator": "In", "values": ["a"]}])
    kubernetes.mount_pvc(task, "shared", "/shared")
    only_env().set_env_variable("A", "1")
