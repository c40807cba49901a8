"""The configuration file (TOML) and the secrets it names → frozen settings; every problem in one ConfigError.

docs/configuration.md is the reference of the file. Adapters declare their own options as a pydantic model, in which a
`SecretStr` is a secret and a `Path` is relative to the configuration file.
"""

from calferry.config.reading import load
from calferry.config.settings import Kinds, Settings, SourceSettings, TargetSettings, WebSettings

__all__ = ["Kinds", "Settings", "SourceSettings", "TargetSettings", "WebSettings", "load"]
