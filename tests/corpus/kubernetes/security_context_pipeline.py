"""Security contexts."""
from kfp import dsl
from kfp import kubernetes


@dsl.component(base_image="python:3.11-slim")
def work():
    pass


@dsl.pipeline(name="k8s-security-context")
def security_context():
    kubernetes.set_security_context(work(), run_as_user=65534)
    kubernetes.set_security_context(work(), run_as_user=0, run_as_group=0)
    kubernetes.set_security_context(work(), run_as_non_root=True)
    kubernetes.set_security_context(work(), run_as_user=1000, run_as_group=3000, run_as_non_root=False)
