"""HTTP: the protocols that existing editors and clients already speak, the web page, auth, metrics."""

from tabwright.serving.app import create_app
from tabwright.serving.server import serve
from tabwright.serving.settings import ServingSettings, SettingsError, check_listen

__all__ = ["ServingSettings", "SettingsError", "check_listen", "create_app", "serve"]
