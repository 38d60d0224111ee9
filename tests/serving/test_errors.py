"""Errors: what a client is told of a body that does not fit."""

from typing import Annotated

import pytest
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.testclient import TestClient
from pydantic import AfterValidator, BaseModel

from tabwright.serving.errors import error_response


class _Body(BaseModel):
    rows: list[Annotated[str, AfterValidator(str.strip)] | list[int]]


@pytest.mark.parametrize(("body", "field"), [({"rows": ["a", 5]}, "rows[1]"), ({"rows": 5}, "rows"), ({}, "rows")])
def test_a_field_is_named_without_the_names_of_validators(body: object, field: str) -> None:
    app = FastAPI()
    app.add_exception_handler(RequestValidationError, lambda request, error: error_response(request.url.path, error))

    @app.post("/rows")
    def rows(body: _Body) -> None: ...

    error = TestClient(app).post("/rows", json=body).json()["error"]
    assert error["param"] == field
    assert error["message"].startswith(f"{field}: ")
