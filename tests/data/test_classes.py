"""Classes are matched by name: a number means what it meant in training, or it is an error."""

from __future__ import annotations

import pytest
import torch

from ganforge import DataError, Field, InMemoryDataset
from ganforge.data.batches import Batches, open_batches
from ganforge.data.classes import RenumberedBatches, in_trained_order
from ganforge.device.execution import Execution
from ganforge.device.randomness import Randomness

CPU = torch.device("cpu")
NOW = ("2", "10", "30")
FIELDS = {
    "sample": Field(kind="vector", shape=(1,)),
    "label": Field(kind="category", classes=NOW),
    "colour": Field(kind="category", classes=("red", "blue")),
}


def opened() -> Batches:
    """Nine samples whose value is the number in the name of their class."""
    labels = torch.arange(9) % 3
    values = torch.tensor([float(name) for name in NOW])[labels, None]
    dataset = InMemoryDataset(values, labels, NOW, others={"colour": torch.arange(9) % 2})
    return open_batches(
        dataset,
        FIELDS,
        batch_size=9,
        execution=Execution(device=CPU),
        randomness=Randomness(0, CPU),
        num_workers=0,
        holdout=0.0,
    )


def test_the_same_classes_in_another_order_get_the_numbers_of_the_training() -> None:
    trained = {"label": ("10", "2", "30")}
    batches, fields = in_trained_order(opened(), FIELDS, trained, "the run", "the data")
    assert fields["label"].classes == ("10", "2", "30")
    assert fields["colour"] == FIELDS["colour"]
    for batch in (batches.batch(0), batches.batch(5), batches.held_out(0, 9)):
        names = [float(trained["label"][number]) for number in batch.labels.tolist()]
        assert names == batch.samples[:, 0].tolist()
        assert sorted(batch.others["colour"].tolist()) == [0] * 5 + [1] * 4
    assert batches.num_samples == 9


def test_the_same_order_costs_nothing() -> None:
    batches = opened()
    same, fields = in_trained_order(batches, FIELDS, {"label": NOW}, "the run", "the data")
    assert same is batches
    assert fields == FIELDS
    assert in_trained_order(batches, FIELDS, {}, "the run", "the data")[0] is batches


def test_classes_of_a_field_that_is_not_there_are_nobodys() -> None:
    found, _ = in_trained_order(opened(), FIELDS, {"shape": ("round",)}, "the run", "the data")
    assert not isinstance(found, RenumberedBatches)


@pytest.mark.parametrize(
    ("trained", "message"),
    [
        (
            ("2", "10", "31"),
            "the data has other classes of 'label' than the run was trained on, so that a label "
            "would mean something else: it has 30 and it lacks 31",
        ),
        (("2", "10"), "it has 30"),
        (("2", "10", "30", "40", "5"), "it lacks 40 and 5"),
        (tuple(f"c{n}" for n in range(30)), "it has 2, 10 and 30 and it lacks c0, c1"),
        (tuple(f"c{n}" for n in range(30)), "c19 and 10 more"),
    ],
)
def test_other_names_are_an_error_with_the_old_and_the_new(
    trained: tuple[str, ...], message: str
) -> None:
    with pytest.raises(DataError) as caught:
        in_trained_order(opened(), FIELDS, {"label": trained}, "the run", "the data")
    assert message in str(caught.value)
