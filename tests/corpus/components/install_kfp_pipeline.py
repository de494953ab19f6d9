"""How the SDK itself gets into the container."""
from kfp import dsl


@dsl.component(base_image="registry.example/team/kfp-base:1.4.2", install_kfp_package=False)
def not_at_all():
    pass


@dsl.component(
    base_image="registry.example:5000/team/kfp-base@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
    install_kfp_package=False,
    packages_to_install=["requests==2.32.3"],
)
def only_packages():
    pass


@dsl.component(
    base_image="python:3.12-slim",
    kfp_package_path="git+https://github.com/kubeflow/pipelines.git@master#egg=kfp&subdirectory=sdk/python",
)
def from_git():
    pass


@dsl.component(
    base_image="python:3.12-slim",
    kfp_package_path="git+https://github.com/kubeflow/pipelines.git@refs/pull/1/merge#subdirectory=sdk/python",
    packages_to_install=["numpy==2.1.3"],
)
def from_pull_request():
    pass


@dsl.pipeline(name="install-kfp")
def install_kfp():
    not_at_all()
    only_packages()
    from_git()
    from_pull_request()
