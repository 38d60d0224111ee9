"""What a person calls a model -> a verified GGUF file and what its head says."""

from tabwright.sampling.models.gguf import GGUFError, GGUFFile, read_gguf
from tabwright.sampling.models.registry import (
    LocalModel,
    ModelNotFoundError,
    RegisteredModel,
    cache_folder,
    default_model,
    expected_size,
    locate,
    models_folder,
    pull,
    registered_models,
    remove,
    weights_digest,
)

__all__ = [
    "GGUFError",
    "GGUFFile",
    "LocalModel",
    "ModelNotFoundError",
    "RegisteredModel",
    "cache_folder",
    "default_model",
    "expected_size",
    "locate",
    "models_folder",
    "pull",
    "read_gguf",
    "registered_models",
    "remove",
    "weights_digest",
]
