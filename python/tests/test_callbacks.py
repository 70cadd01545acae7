"""Recordings by callbacks: Lightning, and the Trainer of Hugging Face."""

import numpy as np
import pytest

import deeplimit

torch = pytest.importorskip("torch", reason="PyTorch is not installed: its trainers are not tested here")


class Residual(torch.nn.Module):
    def __init__(self, depth, d=8):
        super().__init__()
        self.layers = torch.nn.ModuleList(torch.nn.Linear(d, d, bias=False) for _ in range(depth))

    def forward(self, h):
        for layer in self.layers:
            h = h + torch.tanh(layer(h)) / len(self.layers)
        return h


def pairs(n=24, d=8):
    generator = torch.Generator().manual_seed(0)
    return torch.randn(n, d, generator=generator), torch.randn(n, d, generator=generator)


def check(study, model, steps, blocks):
    """The last weights are those of the model, and every update was told of."""
    run = study.runs.index[-1]
    want = np.stack([layer.weight.detach().numpy() for layer in blocks(model)]).astype(float)
    np.testing.assert_array_equal(np.asarray(study.weights(run, rescaled=False)), want)
    rows = study.iterations
    rows = rows[rows["run"] == run] if "run" in rows.columns else rows.loc[run]
    assert rows["iteration"].iloc[-1] == steps
    assert rows["displacement"].iloc[-1] > 0
    return rows


def test_lightning(tmp_path):
    """Accumulated batches are one update, and the loss is that of training_step."""
    lightning = pytest.importorskip("lightning.pytorch", reason="Lightning is not installed")

    class Module(lightning.LightningModule):
        def __init__(self):
            super().__init__()
            self.model = Residual(4)

        def training_step(self, batch, _):
            x, y = batch
            return ((self.model(x) - y) ** 2).mean()

        def configure_optimizers(self):
            return torch.optim.SGD(self.parameters(), lr=0.05)

    torch.manual_seed(1)
    module = Module()
    loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(*pairs()), batch_size=4)
    recording = deeplimit.lightning_callback("model.layers.*", every=1, out=tmp_path / "mine", alpha=1)
    quiet = {"logger": False, "enable_checkpointing": False, "enable_progress_bar": False, "enable_model_summary": False}
    options = {"accelerator": "cpu", "max_epochs": 3, "accumulate_grad_batches": 2, "default_root_dir": tmp_path}
    lightning.Trainer(callbacks=[recording], **options, **quiet).fit(module, loader)
    rows = check(recording.study, module, 9, lambda m: m.model.layers)
    assert rows["iteration"].tolist() == list(range(10))
    assert rows["batch_loss"].notna().sum() == 9


def test_transformers(tmp_path):
    """The Trainer's steps are recorded as they are."""
    transformers = pytest.importorskip("transformers", reason="transformers is not installed")

    class Model(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.stack = Residual(4)

        def forward(self, x, y):
            return {"loss": ((self.stack(x) - y) ** 2).mean()}

    torch.manual_seed(1)
    model = Model()
    data = [{"x": x, "y": y} for x, y in zip(*pairs(), strict=True)]
    options = transformers.TrainingArguments(
        output_dir=str(tmp_path / "trainer"), max_steps=6, per_device_train_batch_size=4, gradient_accumulation_steps=2,
        save_strategy="no", report_to=[], disable_tqdm=True, use_cpu=True, label_names=["y"],
    )  # fmt: skip
    recording = deeplimit.transformers_callback("stack.layers.*", every=1, out=tmp_path / "mine", alpha=1)
    transformers.Trainer(model, options, train_dataset=data, callbacks=[recording]).train()
    rows = check(recording.study, model, 6, lambda m: m.stack.layers)
    assert rows["iteration"].tolist() == list(range(7))
