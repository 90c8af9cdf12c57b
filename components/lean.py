"""A program that wastes nothing: import of pulumi_aws file by file, and no talk to nobody.

The first use of a class of `pulumi_aws.ec2` loads all of EC2, 180 files, of which a program uses a
dozen. `install()`, called before `pulumi_aws` is first imported, lets each of its packages load
only the file of the class that is asked for; what it cannot place is left to the package's own
`__init__`, so nothing is missing. That takes half the time of the imports off every preview.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pulumi

_OTHERS = frozenset({"config", "__pycache__"})


class LeanPackage(ModuleType):
    """A package of `pulumi_aws` whose names are found in its files one by one."""

    def __init__(self, name: str, folder: Path) -> None:
        super().__init__(name)
        self.__path__ = [str(folder)]
        self.__package__ = name
        self.__file__ = str(folder / "__init__.py")

    def __setattr__(self, name: str, value: Any) -> None:
        # Import puts a file's module at its name, where the package has the function of that name.
        if isinstance(value, ModuleType):
            value = getattr(value, name, value)
        super().__setattr__(name, value)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        for file in _files(name):
            if (Path(self.__path__[0]) / f"{file}.py").is_file():
                module = importlib.import_module(f"{self.__name__}.{file}")
                found = module if file == name else getattr(module, name, None)
                if found is not None:
                    setattr(self, name, found)
                    return found
        return self._whole(name)

    def _whole(self, name: str) -> Any:
        """The name after the package's own `__init__` has run."""
        spec = importlib.util.spec_from_file_location(
            self.__name__, self.__file__, submodule_search_locations=list(self.__path__)
        )
        if spec is None or spec.loader is None:
            raise AttributeError(name)
        spec.loader.exec_module(self)
        if name not in vars(self):
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        return vars(self)[name]


def install() -> None:
    """Make the packages of `pulumi_aws` lean; does nothing once it has been imported."""
    _say_nothing_to_nobody()
    spec = importlib.util.find_spec("pulumi_aws")
    if "pulumi_aws" in sys.modules or spec is None or not spec.submodule_search_locations:
        return
    root = Path(spec.submodule_search_locations[0])
    for folder in root.iterdir():
        if folder.is_dir() and folder.name not in _OTHERS:
            name = f"pulumi_aws.{folder.name}"
            sys.modules[name] = LeanPackage(name, folder)


def _say_nothing_to_nobody() -> None:
    """Drop the SDK's debug messages: two calls of the engine, waited for, for each resource.

    They are shown by `pulumi --debug` alone. GONOGO_DEBUG in the environment keeps them.
    """
    if "GONOGO_DEBUG" not in os.environ:
        pulumi.log.debug = lambda *_arguments, **_keywords: None


def _files(name: str) -> tuple[str, ...]:
    """Where a name may be defined: its own file, or that of all the inputs."""
    function = name.removesuffix("_output")
    if function == function.lower():
        return (name, function)
    if name.endswith(("Args", "ArgsDict")):
        return ("_inputs",)
    return (re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower(),)
