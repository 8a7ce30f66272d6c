"""Makes mutants of the gate: its sources with one comparison, limit, term or line changed, as plain Python."""

import ast
import copy
import inspect
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any, NamedTuple

from podshop.risk import bound, gate

SOURCES = {"bound": bound, "gate": gate}
OURS = ("podshop.maths.compiled", "podshop.risk.bound")  # their names are given to a machine instead of imported
COMPARED: dict[type, tuple[type, ...]] = {
    ast.Lt: (ast.LtE, ast.Gt), ast.LtE: (ast.Lt, ast.Gt), ast.Gt: (ast.GtE, ast.Lt), ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,), ast.NotEq: (ast.Eq,),
}  # fmt: skip
COUNTED: dict[type, type] = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult}
CALLED = {"min": "max", "max": "min", "floor": "ceil"}


class Mutant(NamedTuple):
    """One change: where it is, and what became of the line."""

    module: str
    function: str
    was: str
    now: str
    tree: ast.Module

    @property
    def name(self) -> str:
        return f"{self.module}.{self.function}: {self.was}  ->  {self.now}"


class Machine(SimpleNamespace):
    """The functions of bound and gate as plain Python, perhaps with one of them changed."""

    def with_factor(self, instead: Callable[..., Any]) -> "Machine":
        """The same, with another common factor."""
        return machine(self.tree, self.module, common_factor=instead)


def machine(tree: ast.Module | None = None, module: str = "", **instead: Any) -> Machine:
    """Run the sources without the compiler; `tree` stands for the source of `module`."""
    names: dict[str, Any] = {"lean": lambda function: function}
    for each, source in SOURCES.items():
        parsed = tree if tree is not None and each == module else ast.parse(inspect.getsource(source))
        body = [node for node in parsed.body if not (isinstance(node, ast.ImportFrom) and node.module in OURS)]
        names["__name__"] = each
        exec(compile(ast.Module(body, []), each, "exec"), names)  # noqa: S102  our own source
    names |= instead
    return Machine(tree=tree, module=module, **{key: value for key, value in names.items() if not key.startswith("__")})


def mutants(every: int = 1) -> Iterator[Mutant]:
    """Every mutant of both sources, one by one; or only one in `every`."""
    number = 0
    for module, source in SOURCES.items():
        tree = ast.parse(inspect.getsource(source))
        for at, node in enumerate(ast.walk(tree)):
            changes = _changes(node)
            function = _around(tree, node) if changes else ""
            if function == "" and not isinstance(node, ast.Constant):
                continue
            for change in changes:
                number += 1
                if number % every == 0:
                    yield _mutant(module, function, tree, at, change)


def _mutant(module: str, function: str, tree: ast.Module, at: int, change: "Change") -> Mutant:
    """The mutant that comes of one change to the node at this place of a walk."""
    spoilt = copy.deepcopy(tree)
    target = next(each for i, each in enumerate(ast.walk(spoilt)) if i == at)
    line = _line(spoilt, target)
    was = ast.unparse(line).splitlines()[0]
    replaced = change(target)
    spoilt = ast.fix_missing_locations(_Swap(target, replaced).visit(spoilt))
    now = ast.unparse(replaced if line is target else line).splitlines()[0]
    return Mutant(module, function, was, now, spoilt)


class _Swap(ast.NodeTransformer):
    def __init__(self, old: ast.AST, new: ast.AST) -> None:
        self._old, self._new = old, new

    def visit(self, node: ast.AST) -> Any:
        return self._new if node is self._old else self.generic_visit(node)


def _line(tree: ast.Module, node: ast.AST) -> ast.AST:
    """The innermost statement that a node is in, itself if it is one."""
    found: ast.AST = node
    for statement in ast.walk(tree):  # from the outside inwards
        if isinstance(statement, ast.stmt) and any(each is node for each in ast.walk(statement)):
            found = statement
    return found


Change = Callable[[Any], ast.AST]


def _changes(node: ast.AST) -> list[Change]:
    """What may be changed about a node; each returns the node that takes its place."""
    if isinstance(node, ast.Compare):
        return [_other(op) for op in COMPARED.get(type(node.ops[0]), ())]
    if isinstance(node, ast.BinOp):
        terms: list[Change] = [lambda n: n.left, lambda n: n.right]
        return [_counted, *terms] if type(node.op) in COUNTED else []
    if isinstance(node, ast.AugAssign):
        return [_gone, _counted, _set]
    if isinstance(node, ast.Call) and _called(node) in ("min", "max"):
        return [_renamed, lambda n: n.args[0], lambda n: n.args[1]]
    if isinstance(node, ast.Call) and _called(node) == "floor":
        return [_renamed]
    if isinstance(node, ast.Call) and _called(node) == "abs":
        return [lambda n: n.args[0]]
    if isinstance(node, ast.BoolOp):
        return [_flipped, lambda n: n.values[0], lambda n: n.values[-1]]
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.Not):
        return [lambda n: n.operand]
    if isinstance(node, ast.IfExp):
        return [lambda n: n.body, lambda n: n.orelse]
    if isinstance(node, ast.If):
        return [_if(True), _if(False)]
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float) and not isinstance(node.value, bool):
        return [_constant]
    if isinstance(node, ast.Assign | ast.Continue | ast.Return) or (
        isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)
    ):
        return [_gone]
    return []


def _called(node: ast.Call) -> str:
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def _other(op: type) -> Change:
    def change(node: ast.Compare) -> ast.AST:
        return ast.Compare(node.left, [op()], node.comparators)

    return change


def _counted(node: Any) -> ast.AST:
    other = COUNTED[type(node.op)]()
    if isinstance(node, ast.AugAssign):
        return ast.AugAssign(node.target, other, node.value)
    return ast.BinOp(node.left, other, node.right)


def _set(node: ast.AugAssign) -> ast.AST:
    """x = value where it was x += value."""
    return ast.Assign([node.target], node.value, lineno=node.lineno)


def _renamed(node: ast.Call) -> ast.AST:
    name = CALLED[_called(node)]
    if isinstance(node.func, ast.Attribute):
        return ast.Call(ast.Attribute(node.func.value, name, ast.Load()), node.args, [])
    return ast.Call(ast.Name(name, ast.Load()), node.args, [])


def _flipped(node: ast.BoolOp) -> ast.AST:
    return ast.BoolOp(ast.And() if isinstance(node.op, ast.Or) else ast.Or(), node.values)


def _if(value: bool) -> Change:
    def change(node: ast.If) -> ast.AST:
        return ast.If(ast.Constant(value), node.body, node.orelse)

    return change


def _constant(node: ast.Constant) -> ast.AST:
    return ast.Constant(node.value + 1)


def _gone(node: ast.AST) -> ast.AST:
    return ast.Pass()


def _around(tree: ast.Module, node: ast.AST) -> str:
    """Name of the function that a node is in; empty at the top of a file."""
    for function in tree.body:
        if isinstance(function, ast.FunctionDef):
            inside = [each for part in function.body for each in ast.walk(part)]
            if any(each is node for each in inside):
                return function.name
    return ""
