"""Container components: image alone, with a command, with arguments, with a shell script."""
from kfp import dsl


@dsl.container_component
def image_only():
    return dsl.ContainerSpec(image="hello-world:linux")


@dsl.container_component
def command_only():
    return dsl.ContainerSpec(image="alpine:3.20", command=["date", "-u"])


@dsl.container_component
def args_only(text: str):
    """Uses the image's own entry point."""
    return dsl.ContainerSpec(image="docker/whalesay:latest", args=["cowsay", text])


@dsl.container_component
def script(text: str, number: int = 3):
    return dsl.ContainerSpec(
        image="alpine:3.20",
        command=["sh", "-ec", 'i=0\nwhile [ "$i" -lt "$1" ]; do\n  echo "$0" # {{not a placeholder}}\n  i=$((i + 1))\ndone\n'],
        args=[text, number],
    )


@dsl.pipeline(name="container-basic")
def container_basic(text: str = "hello"):
    image_only()
    command_only()
    args_only(text=text)
    script(text=text).after(args_only(text="first"))
