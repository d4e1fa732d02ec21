"""The run file: every option with its default, its unit and its check."""

from insitu.config.run_file import (
    BudgetConfig,
    ConfigError,
    FieldConfig,
    NetworkConfig,
    RecordConfig,
    ResampleConfig,
    RunConfig,
    SimulationConfig,
    WindowConfig,
    broadcast,
    load,
    read,
    read_actions,
)

__all__ = [
    "BudgetConfig",
    "ConfigError",
    "FieldConfig",
    "NetworkConfig",
    "RecordConfig",
    "ResampleConfig",
    "RunConfig",
    "SimulationConfig",
    "WindowConfig",
    "broadcast",
    "load",
    "read",
    "read_actions",
]
