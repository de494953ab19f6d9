"""Requests and limits in every unit."""
from kfp import dsl


@dsl.component(base_image="python:3.11-slim")
def work():
    pass


@dsl.pipeline(name="task-resources")
def task_resources():
    work().set_cpu_request("1")
    work().set_cpu_request("500m").set_cpu_limit("1.5")
    work().set_cpu_limit(".25")
    work().set_memory_request("1024").set_memory_limit("2Gi")
    for unit in ("K", "Ki", "M", "Mi", "G", "Gi", "T", "Ti", "P", "Pi", "E", "Ei"):
        work().set_memory_limit(f"4{unit}")
    work().set_cpu_request("1").set_cpu_limit("2").set_memory_request("1Gi").set_memory_limit("2Gi")
