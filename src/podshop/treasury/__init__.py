"""The treasury: capital by evidence."""

from podshop.treasury.allocator import KINDS, Allocator, Kind
from podshop.treasury.graduated import Graduated
from podshop.treasury.graduation import Gate
from podshop.treasury.shrunk import Allocation, Rules

__all__ = ["KINDS", "Allocation", "Allocator", "Gate", "Graduated", "Kind", "Rules"]
