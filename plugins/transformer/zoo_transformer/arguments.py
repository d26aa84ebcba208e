"""Check the arguments that all models here have."""


def check_sizes(**sizes: int) -> None:
    """Raise ValueError for a size below one."""
    for name, value in sizes.items():
        if value < 1:
            raise ValueError(f"{name} must be 1 or more, not {value}")
