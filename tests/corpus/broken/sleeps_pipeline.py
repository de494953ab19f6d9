"""Waits for something that does not come, in a child process that has left the session."""
import os
import time

if os.fork() == 0:
    os.setsid()
    time.sleep(600)
    os._exit(0)
time.sleep(600)
