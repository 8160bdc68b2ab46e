"""Every knob, in one typed place. Flags, `doceo.toml`, environment variables and their help are made from these files.

Each stage takes the model of its own; none of them travels further.
"""

from doceo.core.config.answers import AnswerConfig, CalibrateConfig, ChatConfig, EvaluateConfig, RetrieveConfig
from doceo.core.config.base import Config
from doceo.core.config.documents import ChunkConfig, CleanConfig, Drop, ReadConfig, TextConfig
from doceo.core.config.generation import DatasetConfig, EngineConfig, Gate, GateConfig, GenerateConfig
from doceo.core.config.judging import JudgeConfig
from doceo.core.config.loop import LoopConfig
from doceo.core.config.models import ExportConfig, FinetuneConfig, PretrainConfig, TokenizerConfig, TrainingConfig
from doceo.core.config.regression import RegressionConfig
from doceo.core.config.service import ServiceConfig

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
    "JudgeConfig",
    "LoopConfig",
    "PretrainConfig",
    "ReadConfig",
    "RegressionConfig",
    "RetrieveConfig",
    "ServiceConfig",
    "TextConfig",
    "TokenizerConfig",
    "TrainingConfig",
]
