"""The treasury: capital by evidence."""

from podshop.treasury.allocator import KINDS, Allocator, Kind
from podshop.treasury.shrunk import Allocation, Rules

__all__ = ["KINDS", "Allocation", "Allocator", "Kind", "Rules"]
