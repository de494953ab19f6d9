"""Takes memory until it is stopped; it gives up by itself after CORPUS_HOG_MEGABYTES, 2048 if that is not set."""
import os

taken = []
for _ in range(int(os.environ.get("CORPUS_HOG_MEGABYTES", "2048"))):
    taken.append(os.urandom(4096) * 256)
raise RuntimeError("nothing stopped the memory hog")
