"""Refusals as problems, and only for the app's own views."""

from __future__ import annotations

import json

import pytest
from django.core.exceptions import BadRequest, PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.db import OperationalError
from django.http import Http404, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from rest_framework.settings import api_settings
from rest_framework.test import APIRequestFactory
from rest_framework.views import APIView, exception_handler

from gamification import exceptions
from gamification.api import errors
from gamification.services import xp
from gamification.tests.api.conftest import assert_problem, errors_of

REFUSALS = sorted(
    (
        each
        for each in vars(exceptions).values()
        if isinstance(each, type)
        and issubclass(each, exceptions.GamificationError)
        and each is not exceptions.BatchRefused
    ),
    key=lambda each: each.__name__,
)


def answer_to(error: Exception) -> tuple[int, dict]:
    request = APIView().initialize_request(APIRequestFactory().get("/"))
    response = errors.handle(error, {"request": request, "view": APIView(), "args": (), "kwargs": {}})
    assert response is not None
    assert response.content_type == "application/problem+json"
    return response.status_code, json.loads(json.dumps(response.data))


@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda each: each.__name__)
def test_every_refusal_keeps_its_status_and_code(refusal):
    status, problem = answer_to(refusal("Because.", field="amount"))

    assert (status, problem["status"], problem["code"]) == (refusal.status_code, refusal.status_code, refusal.code)
    assert problem["detail"] == "Because."
    assert problem["errors"] == [
        {"index": None, "field": "amount", "code": refusal.code, "message": "Because."},
    ]


def test_a_refusal_that_is_about_no_field_has_no_errors():
    _, problem = answer_to(exceptions.NoFreezesLeft())

    assert problem == {
        "type": "about:blank",
        "title": "Conflict",
        "status": 409,
        "detail": "No freeze is left.",
        "code": "no_freezes_left",
        "errors": [],
    }


def test_a_refused_batch_names_each_item():
    late = exceptions.FutureEvent(field="occurred_at")
    bare = exceptions.KeyRequired()

    status, problem = answer_to(exceptions.BatchRefused({4: late, 2: bare}))

    assert (status, problem["code"]) == (400, "invalid_batch")
    assert [(each["index"], each["field"], each["code"]) for each in problem["errors"]] == [
        (2, None, "key_required"),
        (4, "occurred_at", "future_event"),
    ]


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (Http404(), 404, "not_found"),
        (PermissionDenied(), 403, "permission_denied"),
        (BadRequest(), 400, "parse_error"),
        (SuspiciousOperation(), 400, "parse_error"),
        (RequestDataTooBig(), 413, "body_too_large"),
        (MultiPartParserError(), 400, "parse_error"),
        (UnreadablePostError(), 400, "parse_error"),
    ],
    ids=lambda each: type(each).__name__,
)
def test_what_django_raises_over_a_request_is_a_problem_of_the_client(error, status, code):
    answered, problem = answer_to(error)

    assert (answered, problem["code"]) == (status, code)


def test_a_database_that_is_away_is_no_defect(caplog):
    request = APIView().initialize_request(APIRequestFactory().get("/"))

    response = errors.handle(OperationalError("the connection is lost"), {"request": request, "view": APIView()})

    assert (response.status_code, response["Retry-After"]) == (503, "5")
    assert response.content_type == "application/problem+json"
    assert response.data["code"] == "temporarily_unavailable"
    assert "connection" not in json.dumps(response.data)
    assert "the connection is lost" in caplog.text


def test_a_defect_is_a_problem_without_a_word_about_it():
    status, problem = answer_to(RuntimeError("the password is hunter2"))

    assert (status, problem["code"]) == (500, "error")
    assert "hunter2" not in json.dumps(problem)


def test_a_defect_reaches_the_debug_page_of_a_developer(settings):
    settings.DEBUG = True

    assert errors.handle(RuntimeError(), {"request": None, "view": APIView(), "args": (), "kwargs": {}}) is None


def test_every_broken_field_is_named_with_its_rule(trusted):
    response = trusted.post("xp/award", {"amount": "10", "reason": "", "metadata": [], "reference_id": "x" * 256})

    problem = assert_problem(response, 400, "invalid")
    assert sorted(errors_of(response)) == [
        (None, "amount", "invalid"),
        (None, "metadata", "not_an_object"),
        (None, "reason", "blank"),
        (None, "reference_id", "max_length"),
        (None, "user", "required"),
    ]
    assert problem["detail"].startswith("5 values are invalid; the first is user: ")


def test_a_body_that_is_no_object_is_one_error_about_the_whole(trusted):
    response = trusted.post("xp/award", [1])

    assert_problem(response, 400, "invalid")
    assert errors_of(response) == [(None, None, "invalid")]


def test_a_refusal_of_a_service_reaches_the_client_whole(trusted, bob):
    response = trusted.post("xp/award", {"user": bob.user.pk, "amount": -5, "reason": "x"}, key="k")

    assert_problem(response, 409, "insufficient_xp")
    assert xp.level(bob.user).total_xp == 0


def test_an_anonymous_caller_is_told_how_to_sign_in(anonymous):
    response = anonymous.get("xp/level")

    assert_problem(response, 401, "not_authenticated")
    assert response.headers["WWW-Authenticate"] == "Token"


def test_the_hosts_own_views_keep_their_handler():
    assert APIView().get_exception_handler() is exception_handler
    assert api_settings.EXCEPTION_HANDLER is exception_handler


@pytest.mark.parametrize("accept", ["text/html", "application/xml", "application/problem+json", "*/*"])
def test_answers_are_json_whatever_is_asked_for(accept, ada):
    response = ada.call("GET", "xp/level", Accept=accept)

    assert (response.status_code, response.headers["Content-Type"]) == (200, "application/json")
