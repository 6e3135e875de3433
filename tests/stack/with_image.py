"""Runs a program, with $DIFYD_TEST_IMAGE, where there is an engine and the test's image can be made; 77 elsewhere."""
import os
import subprocess
import sys

import bench

bench.need_engine()
sys.exit(subprocess.run(sys.argv[1:], env={**os.environ, "DIFYD_TEST_IMAGE": bench.IMAGE}, check=False).returncode)
