from hw.verilator import verilator_environment  # noqa: F401  (for helpers at work; removed afterwards)
