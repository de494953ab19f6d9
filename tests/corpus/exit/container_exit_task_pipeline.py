"""An exit task that is a container component, with a retry and an image pull policy."""
from kfp import dsl
from kfp import kubernetes


@dsl.container_component
def upload_logs(bucket: str, status: dsl.PipelineTaskFinalStatus):
    return dsl.ContainerSpec(image="alpine:3.20", command=["upload"], args=["--bucket", bucket, "--status", status])


@dsl.component(base_image="python:3.11-slim")
def work():
    pass


@dsl.pipeline(name="exit-container")
def exit_container(bucket: str = "logs"):
    done = upload_logs(bucket=bucket).set_retry(3).set_cpu_limit("100m").set_display_name("upload logs")
    kubernetes.set_image_pull_policy(done, "Always")
    with dsl.ExitHandler(done):
        work()
