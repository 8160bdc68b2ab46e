"""Every knob, in one typed place. Flags, `doceo.toml`, environment variables and their help are made from these files.

Each stage takes the model of its own; none of them travels further.
"""

from doceo.core.config.answers import AnswerConfig, CalibrateConfig, ChatConfig, EvaluateConfig, RetrieveConfig
from doceo.core.config.base import Config
from doceo.core.config.documents import ChunkConfig, CleanConfig, Drop, ReadConfig, TextConfig
from doceo.core.config.generation import DatasetConfig, EngineConfig, Gate, GateConfig, GenerateConfig
from doceo.core.config.models import ExportConfig, FinetuneConfig, PretrainConfig, TokenizerConfig, TrainingConfig

__all__ = [
    "AnswerConfig",
    "CalibrateConfig",
    "ChatConfig",
    "ChunkConfig",
    "CleanConfig",
    "Config",
    "DatasetConfig",
    "Drop",
    "EngineConfig",
    "EvaluateConfig",
    "ExportConfig",
    "FinetuneConfig",
    "Gate",
    "GateConfig",
    "GenerateConfig",
    "PretrainConfig",
    "ReadConfig",
    "RetrieveConfig",
    "TextConfig",
    "TokenizerConfig",
    "TrainingConfig",
]
