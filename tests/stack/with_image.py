"""Runs a program where there is an engine with the test's image; 77 elsewhere."""
import os
import sys

import bench

bench.need_engine()
os.execv(sys.argv[1], sys.argv[1:])
