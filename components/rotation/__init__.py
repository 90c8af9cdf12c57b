"""Rotation of secrets: the component that declares the function, and the function's code."""

from components.rotation.function import RotationFunction

__all__ = ["RotationFunction"]
