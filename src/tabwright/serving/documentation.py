"""The OpenAPI document as one page of plain HTML: no script and no third-party origin, so it works offline."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

_STYLE = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 60rem; margin: 0 auto; padding: 1rem; }
summary { cursor: pointer; padding: .3rem 0; } summary code { font-weight: 600; }
pre { overflow-x: auto; padding: .6rem; border: 1px solid #8886; border-radius: 4px; font-size: .85rem; }
"""


def documentation_page(openapi: Mapping[str, Any]) -> str:
    """Return the page for an OpenAPI document."""
    info = openapi["info"]
    title = f"{escape(info['title'])} {escape(info['version'])}"
    return "".join(
        [
            '<!doctype html><html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{title}: API</title><style>{_STYLE}</style></head><body><h1>{title}</h1>",
            f"<p>{escape(info.get('description', ''))} ",
            'The same as an OpenAPI document: <a href="openapi.json">openapi.json</a>.</p>',
            *_operations(openapi),
            "</body></html>",
        ]
    )


def _operations(openapi: Mapping[str, Any]) -> Iterator[str]:
    tag = None
    for path, methods in openapi["paths"].items():
        for method, operation in methods.items():
            if (new := operation.get("tags", ["Other"])[0]) != tag:
                tag = new
                yield f"<h2>{escape(tag)}</h2>"
            yield f"<details><summary><code>{method.upper()} {escape(path)}</code> "
            yield f"{escape(operation.get('summary', ''))}</summary>"
            yield f"<p>{escape(operation.get('description', ''))}</p>"
            yield from _body(operation, openapi)
            for status, response in operation.get("responses", {}).items():
                yield f"<p>Answer {escape(status)}: {escape(response.get('description', ''))}</p>"
                for media, content in response.get("content", {}).items():
                    if "example" in content:
                        yield _code(content["example"], media)
            yield "</details>"


def _body(operation: Mapping[str, Any], openapi: Mapping[str, Any]) -> Iterator[str]:
    for content in operation.get("requestBody", {}).get("content", {}).values():
        schema = content["schema"]
        for part in schema.get("oneOf", [schema]):
            name = part.get("$ref", "").rpartition("/")[2]
            fields = openapi["components"]["schemas"].get(name, part)
            yield "<p>Body:</p>" + _code(fields.get("properties", fields), "application/json")


def _code(value: object, media: str) -> str:
    text = json.dumps(value, indent=2, ensure_ascii=False) if media == "application/json" else str(value)
    return f"<pre>{escape(text)}</pre>"
