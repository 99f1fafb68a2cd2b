# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The one error that users are meant to read."""

from omni_graspd.plain_text import readable


class GraspdError(Exception):
    """Something the user can mend: bad input, unknown name, unusable output folder.

    The message is one line: what was expected, what came, how to mend it, and the valid names where there are any.
    The command line prints it without a traceback and exits with code 2. What comes from a stranger's file is in it as
    plain text: line breaks and escape codes are written out, and endless names lose their middle.

    Args:
        message: The line.
        listing: What may be chosen from, where that takes lines of its own; the command line prints it below.
    """

    def __init__(self, message: str, listing: str = "") -> None:
        super().__init__(readable(message))
        self.listing = listing
