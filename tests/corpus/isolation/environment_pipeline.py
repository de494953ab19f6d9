"""Changes its environment, its locale and the time zone."""
import locale
import os
import time

from kfp import dsl

os.environ["KFP_DISABLE_EXECUTION_CACHING_BY_DEFAULT"] = "true"
os.environ["TZ"] = "Pacific/Auckland"
time.tzset()
locale.setlocale(locale.LC_ALL, "C")
os.umask(0o077)


@dsl.component(base_image="python:3.11-slim")
def work():
    pass


@dsl.pipeline(name="isolation-environment")
def environment():
    work()
