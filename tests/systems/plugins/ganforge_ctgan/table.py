"""A table as vectors, by mode-specific normalisation, and draws of it by training-by-sampling."""

import csv
from pathlib import Path

import torch

from ganforge import Batch, DataError, EndlessDataset, Field, Fit

from . import CHOSEN, FREQUENCIES, check_file
from .mixture import fitted


def read_columns(path):
    """The cells of each column of a .csv file, by its name."""
    with Path(path).open(newline="", encoding="utf-8") as file:
        names, *rows = [row for row in csv.reader(file) if row] or [[]]
    if not rows or any(len(row) != len(names) for row in rows) or len({*names}) < len(names):
        raise DataError(
            f"{path} should have names in its first row, no two of them alike, and below it rows "
            "with a cell for each"
        )
    return {name: [row[place] for row in rows] for place, name in enumerate(names)}


def is_number(cell):
    try:
        return torch.tensor(float(cell)).isfinite().item()
    except ValueError:
        return False


def coded_number(cells, most):
    """A column of numbers as `[N, 1 + M]`, and what the fit tells of it (section 4.2).

    The mode of each value is drawn by its probability, and the value is relative to that mode:
    alpha = (c - mu) / 4 sigma.
    """
    values = torch.tensor([float(cell) for cell in cells], dtype=torch.float64)
    modes = fitted(values, most)
    generator = torch.Generator().manual_seed(0)
    chosen = torch.multinomial(modes.log_joint(values).softmax(1), 1, generator=generator)[:, 0]
    offset, scale = modes.means, 4 * modes.stds
    relative = ((values - offset[chosen]) / scale[chosen]).clamp(-0.99, 0.99)
    one_hot = torch.nn.functional.one_hot(chosen, len(offset))
    decimals = max(len(cell.partition(".")[2]) for cell in cells)
    plain = all("e" not in cell.lower() for cell in cells)
    return torch.cat([relative[:, None], one_hot], 1).float(), {
        "kind": "number",
        "modes": torch.stack([offset, scale], 1).tolist(),
        "decimals": decimals if plain else None,
    }


def coded_category(cells):
    """A column of categories as one-hot `[N, K]`, and what the fit tells of it."""
    values = sorted({*cells})
    numbers = torch.tensor([values.index(cell) for cell in cells])
    one_hot = torch.nn.functional.one_hot(numbers, len(values)).float()
    # One number is a choice of two to the format, and a column may have one value alone.
    return one_hot, {"kind": "category", "values": values if len(values) > 1 else 2 * values}


class Table(EndlessDataset):
    """A column of categories at random, a value of it, and a row that has it (section 4.3).

    Values are drawn by the logarithm of their frequency, so that rare ones are seen. The choice is
    the field `chosen`, whose classes are all values of all columns of categories, `city=Oslo`.
    """

    def __init__(self, problem, options):
        check_file(options)
        columns, start, parts, described = read_columns(options.file), 0, [], []
        for name in options.categories:
            if name not in columns:
                raise DataError(f"{options.file} has no column {name!r}; see dataset.categories")
        for name, cells in columns.items():
            numbers = [is_number(cell) for cell in cells]
            if name in options.categories or not any(numbers):
                part, facts = coded_category(cells)
            elif all(numbers):
                part, facts = coded_number(cells, options.modes)
            else:
                raise DataError(
                    f"{options.file} has numbers in the column {name!r}, and "
                    f"{cells[numbers.index(False)]!r}; fill it in, or name the column in "
                    "dataset.categories"
                )
            size = part.shape[1]
            described.append({"name": name, "start": start, "size": size, **facts})
            parts.append(part)
            start += size
        categories = [it for it in described if it["kind"] == "category"]
        if not categories:
            raise DataError(
                f"{options.file} has no column of categories, from which a value is to be chosen; "
                "name one in dataset.categories"
            )
        self.rows = torch.cat(parts, 1)
        counts, rows, weights, names = [], [], [], []
        for column in categories:
            start, size = column["start"], column["size"]
            count = self.rows[:, start : start + size].sum(0)
            counts.append(count)
            weights.append((count + 1).log() / (count + 1).log().sum())
            numbers = self.rows[:, start : start + size].argmax(1)
            rows.append(numbers.argsort(stable=True))
            names += [f"{column['name']}={value}" for value in column["values"][:size]]
        counts = torch.cat(counts).long()
        self.parts = {
            "rows": self.rows,
            "order": torch.cat(rows),
            "counts": counts,
            "starts": counts.cumsum(0) - counts,
            "bounds": (torch.cat(weights).double() / len(categories)).cumsum(0)[:-1].float(),
        }
        self.placed = {}
        self.fields = {
            "sample": Field(kind="vector", shape=(self.rows.shape[1],), format="table"),
            CHOSEN: Field(kind="category", classes=tuple(names)),
        }
        self.fit = Fit(
            facts={"columns": described},
            tensors={FREQUENCIES: counts.float() / counts.sum()},
        )

    def draw(self, n, generator):
        device = generator.device
        if device not in self.placed:  # copied once: within a step a copy would be waited for
            self.placed[device] = {name: it.to(device) for name, it in self.parts.items()}
        table = self.placed[device]
        which, where = torch.rand(2, n, generator=generator, device=device)
        chosen = torch.bucketize(which, table["bounds"], right=True)
        counts = table["counts"][chosen]
        place = (where * counts).long().clamp_max(counts - 1)  # rounding may reach the end
        numbers = table["order"][table["starts"][chosen] + place]
        return Batch(table["rows"][numbers], **{CHOSEN: chosen})

    def describe(self):
        return f"{len(self.rows):,} rows of {len(self.fit.facts['columns'])} columns"
