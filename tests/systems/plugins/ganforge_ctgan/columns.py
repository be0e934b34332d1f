"""Where the choices of a vector are, as the fit of its table has them."""


def described(problem):
    return [] if problem.fit is None else problem.fit.facts.get("columns", [])


def choices(problem):
    """The slices of a vector that are one-hot: of categories, and of modes."""
    found = []
    for column in described(problem):
        start, end = column["start"], column["start"] + column["size"]
        if column["kind"] == "category":
            found.append(slice(start, end))
        elif "modes" in column:
            found.append(slice(start + 1, end))
    return found


def categories(problem):
    """The slices of the columns of categories, in order."""
    return [
        slice(column["start"], column["start"] + column["size"])
        for column in described(problem)
        if column["kind"] == "category"
    ]
