"""Where the server may listen, and what settings are refused."""

import pytest

from tabwright.serving import ServingSettings, SettingsError, check_listen


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.0.1", "::1", "localhost"])
def test_loopback_needs_no_authentication(host: str) -> None:
    check_listen(ServingSettings(host=host), open_ok=False)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.7", "example.com", "", "localhost.example.com"])
def test_the_network_needs_authentication_or_a_clear_word(host: str) -> None:
    with pytest.raises(SettingsError, match="set --api-key"):
        check_listen(ServingSettings(host=host), open_ok=False)
    check_listen(ServingSettings(host=host), open_ok=True)
    check_listen(ServingSettings(host=host, api_key="k"), open_ok=False)
    check_listen(ServingSettings(host=host, username="u", password="p"), open_ok=False)


def test_half_of_a_login_is_refused() -> None:
    with pytest.raises(SettingsError, match="belong together"):
        ServingSettings(username="someone")
    with pytest.raises(SettingsError, match="colon"):
        ServingSettings(username="some:one", password="p")


def test_secrets_are_not_shown() -> None:
    shown = repr(ServingSettings(api_key="secret-key", username="someone", password="secret-word"))
    assert "secret" not in shown
