"""The exception of the package."""


class Error(Exception):
    """What went wrong, in the words of the program.

    Raised for input that the program refuses, files that cannot be read, and a program that was killed. The text
    is the one that the terminal shows.

    >>> import deeplimit
    >>> try:
    ...     deeplimit.pvar([0.0, 1.0], 0.5)
    ... except deeplimit.Error as error:
    ...     print(error)
    pvar: p: got 0.5, want a finite number ≥ 1
    """
