"""The treasury: capital by evidence."""

from podshop.treasury.allocator import Allocator

__all__ = ["Allocator"]
