"""The conformance kit: the contracts of components, as checks that a plugin's author runs.

Three doors lead to the same checks: `parametrize_with_checks` for pytest, `check_component` in
Python, and `ganforge check-plugin` in the shell.
"""
