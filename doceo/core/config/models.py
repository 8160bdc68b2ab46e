"""How models are trained and written out."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from doceo.core.config.base import Config


class TokenizerConfig(Config):
    """How a tokenizer is trained."""

    vocab_size: int = Field(default=8192, ge=300)
    """Most tokens; a small model wants few, since they are most of its weights. Little text gives fewer."""
    context: int = Field(default=1024, ge=64)
    """Longest text that the model is to read, in tokens; kept in the tokenizer's settings."""
    held_out_every: int = Field(default=20, ge=2)
    """One text in so many, chosen by its hash, is not learned from but measured on; at most 4 MB of text."""


class PretrainConfig(Config):
    """How a base model is trained from nothing. Defaults are those of depth 2."""

    depth: int = Field(default=2, ge=1, le=24)
    """The one dial: number of layers; width and heads follow from it. A minute on a CPU is enough for 2."""
    vocab_size: int = Field(default=4096, ge=300)
    """Size of the byte-level BPE vocabulary; left out, larger for a deeper model."""
    context: int = Field(default=1024, ge=64)
    """Longest text that the model can read, in tokens."""
    seconds: float = Field(default=60.0, gt=0)
    """Time to train, in seconds on the machine at hand; ignored where `max_steps` is given. Left out, an hour
    for a model deeper than 2, or of another's shape."""
    max_steps: int | None = Field(default=None, ge=1)
    """Optimizer steps; makes the result depend on the seed alone, not on the machine's speed."""
    batch_tokens: int = Field(default=512, ge=64)
    """Tokens of one optimizer step; a short budget gains by small steps. Left out, more for a deeper model."""
    seed: int = 0
    """Seed of weights and batches."""


class TrainingConfig(Config):
    """How `doceo pretrain` takes its steps, measures, shows and saves."""

    optimizer: Literal["muon", "adamw"] | None = None
    """`muon` trains matrices by Muon and the rest by AdamW, `adamw` everything by AdamW. Left out: Muon for a new
    Llama, AdamW for any other model."""
    learning_rate: float | None = Field(default=None, gt=0)
    """Peak learning rate; left out, 0.01 for Muon's matrices and 0.006 beside them; 0.003 for AdamW at width 256, less
    for a wider model; 1e-4 for a model that is trained further."""
    warmup: float = Field(default=0.02, ge=0, lt=1)
    """Share of the run in which the learning rate rises; then it falls as a cosine does."""
    least_rate: float = Field(default=0.02, ge=0, le=1)
    """Share of the peak learning rate that the cosine ends at."""
    weight_decay: float = Field(default=0.1, ge=0)
    """Decay of matrices; embeddings, norms and biases have none."""
    clip: float = Field(default=1.0, gt=0)
    """Longest gradient (Euclidean norm); a longer one is shortened to it."""
    window: int = Field(default=256, ge=16)
    """Tokens of most training windows; every fourth step has windows of the whole context."""
    micro_tokens: int | None = Field(default=None, ge=16)
    """Tokens that are in memory at once; gradients add up to a step's. Left out, 2048, or fewer where memory is
    small."""
    precision: Literal["auto", "bf16", "fp32"] = "auto"
    """`bf16` computes in bfloat16 over float32 weights; `auto` does where the processor has it, which is faster."""
    compile: bool = False
    """Compile the loss with torch.compile: for long trainings; needs a C++ compiler and a minute or more to start."""
    held_out_every: int = Field(default=20, ge=2)
    """One piece of text in so many, chosen by its hash, is not trained but measured on; at most 4 MB of text."""
    evaluations: int = Field(default=20, ge=1)
    """How often the model is measured on held-out text and writes samples, the end included."""
    eval_tokens: int = Field(default=16384, ge=64)
    """Tokens of held-out text that each measurement reads; the finished model is measured on four times as many."""
    prompts: str = ""
    """File of prompts, one a line, that the samples continue; left out, the first words of held-out texts."""
    sample_tokens: int = Field(default=48, ge=0)
    """Longest sample in tokens; 0: no samples."""
    temperature: float = Field(default=0.8, ge=0, le=2)
    """Of the samples; 0 takes the likeliest token each time."""
    top_k: int = Field(default=50, ge=0)
    """Samples choose among so many likeliest tokens; 0: among all."""
    top_p: float = Field(default=0.95, gt=0, le=1)
    """Samples choose among the likeliest tokens that together have this probability."""
    save_seconds: float = Field(default=300.0, gt=0)
    """Seconds between checkpoints: the most work that a killed process can lose."""
    weights: Literal["float32", "float16", "bfloat16"] = "float32"
    """Type of the saved weights."""


class FinetuneConfig(Config):
    """How a base model is fine-tuned. What is left out follows from the base and the rows, and is said in the log."""

    objective: Literal["sft", "dpo"] = "sft"
    """What is learned: `sft`, to say what the rows say; `dpo`, to rather say the preferred of a row's two answers."""
    beta: float = Field(default=0.1, gt=0, le=2)
    """Of `dpo`: how closely the model keeps to what it was before; a higher one keeps it closer."""
    method: Literal["lora", "rslora", "dora", "qlora", "full"] = "lora"
    """`lora`; `rslora` scales by the root of the rank; `dora` also learns lengths; `qlora` keeps the base in 4 bits;
    `full` changes all weights and makes a whole model instead of an adapter."""
    quality: Literal["fast", "balanced", "best"] = "balanced"
    """The one dial: `fast` halves rank and passes, `best` doubles the rank and makes half as many passes more."""
    rank: int | None = Field(default=None, ge=1)
    """Rank of the adapter's matrices; left out, 16, from 5,000 rows 64, from 50,000 rows 256; 64 for a base of less
    than 20M parameters."""
    alpha: int | None = Field(default=None, ge=1)
    """Scale of the adapter: alpha / rank multiplies its output; left out, 32; twice the rank for a base of less than
    20M parameters."""
    learning_rate: float | None = Field(default=None, gt=0)
    """Peak learning rate; left out, 2e-4, or 2e-3 for a base of less than 20M parameters; a tenth for `full`, a
    twentieth for `dpo`."""
    learning_rate_multiplier: float = Field(default=1.0, gt=0)
    """Multiplies the learning rate, given or left out."""
    epochs: float | None = Field(default=None, gt=0)
    """Passes over the training rows; left out, 3, from 5,000 rows 2, from 50,000 rows 1; 6 for a base of less than
    20M parameters. For `dpo` 1 or 2."""
    batch_size: int = Field(default=8, ge=1)
    """Rows of one optimizer step, however few of them fit into memory at once."""
    max_length: int | None = Field(default=None, ge=32)
    """Longest row in tokens; left out, the base's context, at most 2048."""
    packing: Literal["auto", "on", "off"] = "auto"
    """Several rows in one sequence, each seeing only itself. `auto`: on a CUDA GPU only; a CPU is faster without."""
    holdout_share: float = Field(default=0.05, ge=0, lt=0.5)
    """Share of a file's rows kept for validation where no validation file is named; none of fewer than 20 rows."""
    patience: int | None = Field(default=None, ge=1)
    """Evaluations without a better validation loss before training stops, and the best adapter is kept; left out, 3.
    For a base of less than 20M parameters it is then off: such a base learns facts by heart, and the loss on other
    facts rises while it does."""
    sample_answers: int = Field(default=3, ge=0, le=16)
    """Held-out questions that the model answers at each evaluation, into `samples.jsonl`."""
    save_steps: int = Field(default=50, ge=1)
    """Steps between checkpoints, from which a killed run continues."""
    keep_passes: int = Field(default=0, ge=0, le=20)
    """What was trained after each of so many last passes is kept too, ready for use, in `passes/step-N`."""
    max_memory: float | None = Field(default=None, gt=0)
    """Most memory in GB that training may add; left out, what is free. Fewer rows at once are taken until it fits."""
    tracker: Literal["none", "tensorboard", "trackio", "wandb", "wandb-offline"] = "none"
    """Where training is also reported to; `wandb` sends it to Weights & Biases, `wandb-offline` only keeps it here."""
    seed: int = 0
    """Seed of adapter weights, row order and the rows held out."""


class ExportConfig(Config):
    """How a model is exported, and how much of it is compared with the model that was trained."""

    quantize: Literal["f32", "f16", "q8_0"] = "q8_0"
    """Number format of a GGUF file: q8_0 is a quarter of f32 in size and the fastest on a CPU."""
    dtype: Literal["base", "float32", "float16", "bfloat16"] = "base"
    """Number format of a merged folder; `base` is the one that the base is stored in. Merging is done in float32."""
    positions: int = Field(default=1200, ge=50)
    """Most tokens at which the exported model's prediction is compared with the trained one's."""
    answer_tokens: int = Field(default=24, ge=1)
    """Tokens of the answer that both models write to each question and that are compared."""
