"""What pip is told: packages, extras, markers, addresses, indexes and hosts."""
from kfp import dsl


@dsl.component(base_image="python:3.11-slim", packages_to_install=["requests==2.32.3"])
def one():
    pass


@dsl.component(
    base_image="python:3.11-slim",
    packages_to_install=[
        "pandas[parquet]>=2,<3",
        "numpy; python_version >= '3.9'",
        "torch==2.5.1+cpu",
        "tool @ git+https://github.com/example/tool@v1.2.3",
        "https://example.com/wheels/thing-1.0-py3-none-any.whl",
        "it's-quoted",
    ],
    pip_index_urls=["https://pypi.org/simple"],
)
def one_index():
    pass


@dsl.component(
    base_image="python:3.11-slim",
    packages_to_install=["requests"],
    pip_index_urls=["https://pypi.internal.example/simple", "https://pypi.org/simple"],
    pip_trusted_hosts=[],
)
def two_indexes_no_hosts():
    pass


@dsl.component(
    base_image="python:3.11-slim",
    packages_to_install=["requests"],
    pip_index_urls=["https://pypi.internal.example/simple"],
    pip_trusted_hosts=["pypi.internal.example:8443", "mirror.example"],
)
def hosts():
    pass


@dsl.component(base_image="python:3.11-slim", packages_to_install=["kfp==2.11.0"])
def own_kfp():
    pass


@dsl.component(base_image="python:3.11-slim", packages_to_install=[])
def empty():
    pass


@dsl.pipeline(name="packages")
def packages():
    one()
    one_index()
    two_indexes_no_hosts()
    hosts()
    own_kfp()
    empty()
