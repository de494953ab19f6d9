"""Ends the process at once, with a status."""
import os

print("last words", flush=True)
os._exit(5)
