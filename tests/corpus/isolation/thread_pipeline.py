"""Leaves a thread running, registers an exit function that fails, and installs signal handlers and a hook."""
import atexit
import signal
import sys
import threading
import time

from kfp import dsl

threading.Thread(target=time.sleep, args=(30,), daemon=True).start()
atexit.register(lambda: 1 / 0)
signal.signal(signal.SIGTERM, signal.SIG_IGN)
sys.excepthook = lambda *_: None
sys.setrecursionlimit(2000)


@dsl.component(base_image="python:3.11-slim")
def work():
    pass


@dsl.pipeline(name="isolation-thread")
def thread():
    work()
