"""Lines of text for people and programs."""

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont

from ganforge import Format

HEIGHT, WIDTH, MARGIN = 16, 480, 8  # pixels of a line, of the page, and around it


class LinesFormat(Format):
    """One-hot sequences `(K, T)`: at each place the token with the largest number.

    The fact `tokens` has the K texts; without it their numbers are shown.
    """

    num_pictured = 16

    def texts(self, samples):
        """The text of each sample `[N, K, T]`."""
        fit, num_tokens = self.problem.fit, samples.shape[1]
        tokens = [f"{number} " for number in range(num_tokens)]
        if fit is not None and "tokens" in fit.facts:
            tokens = fit.facts["tokens"]
        return ["".join(tokens[it] for it in row) for row in samples.argmax(1).tolist()]

    def picture(self, drawn):
        texts = self.texts(drawn.samples)
        page = Image.new("L", (WIDTH, HEIGHT * len(texts) + 2 * MARGIN), 255)
        draw, font = ImageDraw.Draw(page), ImageFont.load_default()
        for number, text in enumerate(texts):
            printed = "".join(it if it.isprintable() else "?" for it in text)
            draw.text((MARGIN, MARGIN + HEIGHT * number), printed, fill=0, font=font)
        return torch.from_numpy(np.array(page))[..., None]

    def encode(self, drawn, suffix):
        return "".join(f"{text}\n" for text in self.texts(drawn.samples)).encode()
