"""Accelerators with constants, and with the deprecated methods."""
from kfp import dsl


@dsl.component(base_image="python:3.11-slim")
def work():
    pass


@dsl.pipeline(name="task-accelerators")
def task_accelerators():
    work().set_accelerator_type("nvidia.com/gpu")
    work().set_accelerator_type("nvidia.com/gpu").set_accelerator_limit(2)
    work().set_accelerator_limit("4").set_accelerator_type("NVIDIA_TESLA_K80")
    work().set_accelerator_type("cloud-tpus.google.com/v3").set_accelerator_limit(8)
    work().set_accelerator_type("amd.com/gpu").set_accelerator_limit(0)
    work().set_accelerator_limit(1)
    work().add_node_selector_constraint("TPU_V3").set_gpu_limit("1")
