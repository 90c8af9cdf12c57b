def destroy() -> None:
    """later"""


EXAMPLES = ""
