"""Benchmarks: each figure beside the limit of this machine, measured in the same run.

`python -m bench [NAMES] [--quick]` runs the modules of this folder that have a `measure`.
"""
