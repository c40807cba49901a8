"""What calferry costs, as ratios measured in one run. `make bench`; the budgets are in docs/benchmarks.md."""
