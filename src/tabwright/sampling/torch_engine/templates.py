"""Conversations -> text, by a model's own chat template."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NoReturn

from tabwright.sampling.engine import Message, PromptError


def render_chat(template: str, messages: Sequence[Message], *, bos: str, eos: str) -> str:
    """Return the text of a conversation, up to where the assistant's next turn begins.

    Raises:
        PromptError: the template refuses these messages, or is no template.
    """
    from jinja2 import TemplateError
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    def refuse(message: str) -> NoReturn:
        raise TemplateError(message)

    environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)
    rows = [{"role": message.role, "content": message.content} for message in messages]
    try:
        return environment.from_string(template).render(
            messages=rows, bos_token=bos, eos_token=eos, add_generation_prompt=True, raise_exception=refuse
        )
    except Exception as error:  # a template is a program of the model's author
        raise PromptError(f"the model's chat template refuses the messages: {error}") from None
