"""A job on dpark: sums by last digit, with a shuffle between the machines. Prints them as JSON."""

from __future__ import annotations

import json

from dpark import DparkContext

if __name__ == "__main__":
    numbers = DparkContext().parallelize(range(10_000), 8)
    sums = numbers.map(lambda number: (number % 10, number)).reduceByKey(lambda one, other: one + other)
    print(json.dumps(sorted(sums.collectAsMap().items())), flush=True)
