"""The OpenAPI document, which /docs shows."""

from __future__ import annotations

import json

import pytest
from pydantic import Field

from disgram.api.headers import JOB_FIELDS
from disgram.api.openapi import job_parameters
from jobs import Job
from main import app


def test_document_has_no_pattern_that_the_page_would_show_instead_of_the_answer() -> None:
    """Swagger UI sends nothing that a pattern forbids, and shows the regular expression."""
    parameters = [
        parameter
        for path in app.openapi()["paths"].values()
        for operation in path.values()
        for parameter in operation.get("parameters", ())
    ]
    assert len(parameters) > 10
    assert "pattern" not in json.dumps(parameters)


def test_server_of_the_document_is_beside_it_so_that_a_path_prefix_is_kept() -> None:
    assert app.openapi()["servers"] == [{"url": "."}]


def test_each_header_of_a_job_is_described_by_its_field() -> None:
    for creating in (True, False):
        parameters = {one["name"]: one for one in job_parameters(Job, creating=creating)}
        assert list(parameters) == list(JOB_FIELDS)
        for name, field_name in JOB_FIELDS.items():
            field = Job.model_fields[field_name]
            assert parameters[name]["description"].startswith(str(field.description))
            assert parameters[name]["required"] == (name == "JOB_NAME" or (creating and field.is_required()))


class JobWithANewField(Job):
    lifetime: float | None = Field(None, description="Seconds.")


def test_new_optional_field_needs_only_its_header_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(JOB_FIELDS, "LIFETIME", "lifetime")
    new = job_parameters(JobWithANewField, creating=False)[-1]
    assert (new["name"], new["description"]) == ("LIFETIME", "Seconds. Sent empty, it is cleared.")
