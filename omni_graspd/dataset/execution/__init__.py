# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Where the shards of a run are done: here, in processes, on Ray."""
