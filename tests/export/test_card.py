"""The model card: its head is YAML, its text is what was trained, and nothing in it can escape."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from ganforge.export.card import card, code, configuration, escaped
from ganforge.export.usage import listing
from ganforge.runs.run import Run
from tests.conftest import Command
from tests.export.conftest import CASES, SMALL, Train

HOSTILE = '<script>alert(1)</script> | `x` [y](javascript:z) *b* "q" \x1b[31m\n---\nlicense: mit'

DESCRIPTION = {
    "ganforge": "0.1.0",
    "generator": {"name": "mine/net", "package": "mine", "version": "1.0", "options": {}},
    "inputs": [
        {
            "name": "latent",
            "dtype": "float32",
            "shape": ["batch", 4],
            "kind": "latents",
            "units": "",
        },
        {
            "name": "label",
            "dtype": "int64",
            "shape": ["batch"],
            "kind": "category",
            "units": "the number of a class",
            "classes": ["cat", HOSTILE],
        },
    ],
    "output": {
        "name": "samples",
        "dtype": "float32",
        "shape": ["batch", 1, 8, 8],
        "kind": "image",
        "units": "[-1, 1]",
    },
    "truncation": None,
}


def head_of(text: str) -> dict[str, object]:
    yaml = pytest.importorskip("yaml", reason="reads the head of a card as a hub does")
    (head,) = re.findall(r"\A---\n(.*?)\n---\n", text, re.S)
    return yaml.safe_load(head)


def test_the_head_is_what_a_model_hub_reads(train: Train, cli: Command):
    run = train("--generator=dcgan", "--no-conditional", *SMALL, "--loss=hinge")
    assert cli("export", run, "--format", "safetensors", "--license", "cc-by-4.0").code == 0
    text = (run / "export" / "README.md").read_text()
    losses = Run(run).components("loss")
    assert "hinge" in losses
    assert head_of(text) == {
        "library_name": "ganforge",
        "license": "cc-by-4.0",
        "pipeline_tag": "unconditional-image-generation",
        "tags": ["gan", "generative-adversarial-network", "ganforge/dcgan", *losses],
    }
    assert "## License" not in text


def test_the_license_is_left_to_its_owner(train: Train, cli: Command):
    run = train("--generator=dcgan", *SMALL)
    assert cli("export", run, "--format", "safetensors").code == 0
    text = (run / "export" / "README.md").read_text()
    assert "license" not in head_of(text)
    assert "## License\n\nNot stated yet." in text


def test_a_hub_takes_the_card(train: Train, cli: Command):
    hub = pytest.importorskip("huggingface_hub", reason="needs `pip install ganforge[hub]`")
    run = train(*CASES["conditional"])
    assert cli("export", run, "--format", "safetensors", "--license", "mit").code == 0
    loaded = hub.ModelCard.load(run / "export" / "README.md")
    assert loaded.data.library_name == "ganforge"
    assert loaded.data.license == "mit"


def test_it_says_what_was_trained_measured_and_how_to_do_it_again(train: Train, cli: Command):
    run = train("--generator=mlp", "--dataset=ring", "--latent-size=2", "--metric=modes")
    assert cli("export", run, "--format", "safetensors").code == 0
    text = (run / "export" / "README.md").read_text()
    assert "| data set | ring |" in text
    assert "| steps | 1 |" in text
    assert re.search(r"\| modes/\S+ \| [\d.e+-]+ \| 1 \|", text)
    (toml,) = re.findall(r"^```toml\n(.*?)^```", text, re.S | re.M)
    again = run.parent / "run.toml"
    again.write_text(toml)
    ours, theirs = (
        cli("train", "--config", path, "--dry-run") for path in (again, run / "config.toml")
    )
    assert (ours.code, ours.out) == (0, theirs.out)


def test_paths_of_this_machine_are_names_alone(train: Train):
    run = train(*CASES["cycle"])
    assert str(run.parent) in (run / "config.toml").read_text()
    text = configuration(Run(run))
    assert str(run.parent) not in text
    assert 'root = "pictures"' in text


def test_a_card_of_a_generator_alone(train: Train, cli: Command, tmp_path: Path):
    run = train("--generator=dcgan", *SMALL)
    folder = tmp_path / "alone"
    folder.mkdir()
    shutil.copy(run / "generator.safetensors", folder / "faces.safetensors")
    answer = cli("export", folder / "faces.safetensors", "--format", "safetensors")
    assert answer.code == 0, answer.err
    text = (folder / "export" / "README.md").read_text()
    assert "# faces\n" in text
    assert "## Training" not in text
    assert "| latent | float32 | batch, 6 |" in text


def test_a_readme_of_somebody_else_is_left_alone(train: Train, cli: Command, tmp_path: Path):
    run = train("--generator=dcgan", *SMALL)
    readme = tmp_path / "README.md"
    readme.write_text("mine")
    answer = cli("export", run, "--format", "safetensors", "--out", tmp_path / "w.safetensors")
    assert answer.code == 0, answer.err
    assert "without a model card: there is a README.md that is not ganforge's" in answer.out
    assert readme.read_text() == "mine"
    assert (tmp_path / "w.json").exists()


def test_all_exported_files_of_the_folder_are_in_the_card(train: Train, cli: Command):
    run = train(*CASES["mlp of points"])
    for form in ("safetensors", "torch-export"):
        assert cli("export", run, "--format", form).code == 0
    text = (run / "export" / "README.md").read_text()
    assert "| generator.pt2 |" in text
    assert "| weights.safetensors |" in text


def test_the_examples_of_the_card_run(train: Train, cli: Command, monkeypatch: pytest.MonkeyPatch):
    run = train(*CASES["conditional"])
    for form in ("safetensors", "torch-export"):
        assert cli("export", run, "--format", form).code == 0
    monkeypatch.chdir(run / "export")
    text = (run / "export" / "README.md").read_text()
    found: dict[str, object] = {}
    for example in re.findall(r"^```python\n(.*?)^```", text, re.S | re.M):
        exec(example, found)
    assert found["samples"].shape == (16, 1, 32, 32)  # type: ignore[attr-defined]
    assert len(found["weights"]) > 3  # type: ignore[arg-type]


def test_the_onnx_example_of_the_card_runs(
    train: Train, cli: Command, monkeypatch: pytest.MonkeyPatch
):
    pytest.importorskip("onnxruntime", reason="needs `pip install ganforge[onnx]` and onnxruntime")
    pytest.importorskip("onnxscript", reason="needs `pip install ganforge[onnx]`")
    run = train(*CASES["conditional"])
    assert cli("export", run, "--format", "onnx").code == 0
    monkeypatch.chdir(run / "export")
    (example,) = re.findall(r"^```python\n(.*?)^```", Path("README.md").read_text(), re.S | re.M)
    found: dict[str, object] = {}
    exec(example, found)
    assert found["samples"].shape == (16, 1, 32, 32)  # type: ignore[attr-defined]


def test_hostile_names_are_shown_and_do_nothing():
    text = card(
        DESCRIPTION,
        [listing("generator.onnx", 5, DESCRIPTION)],
        title=HOSTILE,
        run=None,
        license_name='mit"\nlibrary_name: other',
    )
    head = head_of(text)
    assert head["library_name"] == "ganforge"
    assert head["license"] == 'mit" library_name: other'
    body = text.split("---\n", 2)[2]
    assert "<script" not in body
    assert "\x1b" not in text
    assert "](javascript" not in body.replace("\\]", "")
    (classes,) = [line for line in body.splitlines() if line.startswith("Classes of label")]
    assert "&lt;script&gt;" in classes


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a|b", "a\\|b"),
        ("`c`", "\\`c\\`"),
        ("<b>&amp;", "&lt;b&gt;&amp;amp;"),
        ("line\nbreak", "line break"),
        ("[x](y)", "\\[x\\](y)"),
    ],
)
def test_text_from_outside_is_escaped(text: str, shown: str):
    assert escaped(text) == shown


def test_a_block_of_code_is_not_left_by_what_it_holds():
    assert code("a\n````\nb", "toml") == "`````toml\na\n````\nb\n`````"


def test_what_was_evaluated_is_in_the_card_and_which_generator_is_the_best(
    train: Train, cli: Command
):
    run = train(
        *("--generator=mlp", "--dataset=ring", "--latent-size=2", "--metric=modes"),
        *("--set=evaluation.best=modes/kl", "--set=evaluation.num_samples=100"),
    )
    assert cli("evaluate", run, "--metric", "modes", "--num", 200, "--device", "cpu").code == 0
    answer = cli("export", run, "--format", "safetensors", "--best")
    assert answer.code == 0, answer.err
    text = (run / "export" / "README.md").read_text()
    assert "Measured by `ganforge evaluate`:" in text
    assert re.search(r"\| modes/high\\_quality \| \S+ \| 200 samples against ", text)
    assert re.search(r"of which this is the best: after step 1, with \S*modes/kl = ", text)
    answer = cli("export", run / "generator.safetensors", "--format", "safetensors", "--best")
    assert (answer.code, answer.out) == (2, "")
