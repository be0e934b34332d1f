"""Lines of a text file as sequences of characters."""

from pathlib import Path

import torch
from torch.nn.functional import one_hot

from ganforge import DataError, Field, Fit, MapDataset

from . import check_file

END = ""  # a token that says nothing, up to the length of a sample


class Lines(MapDataset):
    """One-hot sequences `(K, T)`: the characters of a line, and then the end again and again."""

    def __init__(self, problem, options):
        check_file(options)
        try:
            lines = Path(options.file).read_text(encoding="utf-8").splitlines()
        except UnicodeDecodeError as error:
            raise DataError(f"{options.file} is no text in UTF-8: {error}") from error
        lines = [line for line in lines if 0 < len(line) <= options.length]
        if not lines:
            raise DataError(
                f"{options.file} has no line of 1 to {options.length} characters; see "
                "dataset.length"
            )
        tokens = [END, *sorted({character for line in lines for character in line})]
        numbers = {token: number for number, token in enumerate(tokens)}
        self.texts = torch.zeros(len(lines), options.length, dtype=torch.int64)
        for text, line in zip(self.texts, lines, strict=True):
            text[: len(line)] = torch.tensor([numbers[it] for it in line])
        shape = (len(tokens), options.length)
        self.fields = {"sample": Field(kind="sequence", shape=shape, format="lines")}
        self.fit = Fit(facts={"tokens": tokens})

    def __len__(self):
        return len(self.texts)

    def __getitem__(self, index):
        (num_tokens, _) = self.fields["sample"].shape
        return {"sample": one_hot(self.texts[index], num_tokens).T.float()}
