"""Cursor or task + repository -> prompt -> checked suggestion: context, cache, filters, verification."""

from tabwright.assistant.languages import Language, UnknownLanguageError, find_language, language_of, languages
from tabwright.assistant.suggestion import Cursor, prompt_for, suggest
from tabwright.assistant.tasks import question_about, tasks

__all__ = [
    "Cursor",
    "Language",
    "UnknownLanguageError",
    "find_language",
    "language_of",
    "languages",
    "prompt_for",
    "question_about",
    "suggest",
    "tasks",
]
