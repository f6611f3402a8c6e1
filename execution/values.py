"""Limits the number of values in a request's variables, each of which costs time before the cost is known."""

from collections.abc import Mapping

from execution.errors import DocumentTooLarge


def check_values(variables: Mapping[str, object], limit: int) -> None:
    """Count the values in variables, including those in lists and objects.

    Raises:
        DocumentTooLarge: there are more than `limit`.
    """
    count, waiting = 0, [iter(variables.values())]
    while waiting:
        for value in waiting[-1]:
            count += 1
            if count > limit:
                raise DocumentTooLarge("values in its variables", None, limit)
            if isinstance(value, Mapping):
                waiting.append(iter(value.values()))
                break
            if isinstance(value, list):
                waiting.append(iter(value))
                break
        else:
            waiting.pop()
