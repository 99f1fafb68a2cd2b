# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The one error that users are meant to read."""


class GraspdError(Exception):
    """Something the user can mend: bad input, unknown name, unusable output folder.

    The message is one line: what was expected, what came, how to mend it, and the valid names where there are any.
    The command line prints it without a traceback and exits with code 2.
    """
