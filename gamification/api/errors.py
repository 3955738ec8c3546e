"""Refusals as problem bodies (RFC 9457), for the app's own views only: the host's handler stays what it was."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from django.core.exceptions import BadRequest, RequestDataTooBig, SuspiciousOperation
from django.http import UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from drf_standardized_errors.formatter import ExceptionFormatter
from drf_standardized_errors.handler import ExceptionHandler
from rest_framework.exceptions import APIException, ParseError, ValidationError
from rest_framework.settings import api_settings

from gamification import outages
from gamification.exceptions import BatchRefused, GamificationError

if TYPE_CHECKING:
    from drf_standardized_errors.types import Error, ExceptionHandlerContext
    from rest_framework.response import Response

PROBLEM_JSON = "application/problem+json"
UNREADABLE = (SuspiciousOperation, BadRequest, MultiPartParserError, UnreadablePostError)


class KeyMismatch(GamificationError):
    code = "key_mismatch"
    default_message = "The Idempotency-Key header and the key in the body differ."


class WrongPassword(GamificationError):
    code = "wrong_password"
    status_code = HTTPStatus.FORBIDDEN
    default_message = "This is not your password."


class NotConfirmed(GamificationError):
    code = "not_confirmed"
    status_code = HTTPStatus.FORBIDDEN
    default_message = "This account has no password: send the word erase as confirm."


class BodyTooLarge(APIException):
    status_code = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    default_detail = "The body is too large."
    default_code = "body_too_large"


class Unavailable(APIException):
    """The database is away, locked or full. What was asked for may have been written, so its key should stay."""

    status_code = HTTPStatus.SERVICE_UNAVAILABLE
    default_detail = "The database cannot be read or written right now. Try again, with the same key."
    default_code = "temporarily_unavailable"
    wait = outages.RETRY_AFTER


class Refused(APIException):
    """A refusal by a service, on its way to the client."""

    def __init__(self, refusal: GamificationError) -> None:
        super().__init__(refusal.message, refusal.code)
        self.refusal = refusal
        self.status_code = refusal.status_code
        self.wait = getattr(refusal, "retry_after", None)


def handle(exc: Exception, context: ExceptionHandlerContext) -> Response | None:
    """Return the problem that ``exc`` is to the client; None lets Django's debug page show a defect."""
    return ProblemHandler(exc, context).run()


class ProblemHandler(ExceptionHandler):
    """Turn refusals, and what Django raises over unreadable requests, into problems."""

    def convert_known_exceptions(self, exc: Exception) -> Exception:
        if outages.is_outage(exc):
            return Unavailable()
        if isinstance(exc, GamificationError):
            return Refused(exc)
        if isinstance(exc, RequestDataTooBig):
            return BodyTooLarge()
        if isinstance(exc, UNREADABLE):
            return ParseError()
        return super().convert_known_exceptions(exc)

    def format_exception(self, exc: APIException) -> dict[str, Any]:
        problem: dict[str, Any] = ProblemFormatter(exc, self.context, self.exc).run()
        return problem

    def set_rollback(self) -> None:
        """Leave transactions alone: the views stand outside of ``ATOMIC_REQUESTS``, the services have their own."""

    def report_exception(self, exc: APIException, response: Response) -> None:
        """Report defects as Django does; an outage is none, and is told in a line."""
        if isinstance(exc, Unavailable):
            outages.report(self.exc)
        else:
            super().report_exception(exc, response)

    def get_response(self, exc: APIException, data: dict[str, Any]) -> Response:
        response = super().get_response(exc, data)
        response.content_type = PROBLEM_JSON
        return response


class ProblemFormatter(ExceptionFormatter):
    """Write the body: ``code`` is stable, ``errors`` names each field and rule, with the index in a list."""

    def run(self) -> dict[str, Any]:
        errors = self._members()
        return {
            "type": "about:blank",
            "title": HTTPStatus(self.exc.status_code).phrase,
            "status": int(self.exc.status_code),
            "detail": self._detail(errors),
            "code": self._code(),
            "errors": errors,
        }

    def _code(self) -> str:
        if isinstance(self.exc, ValidationError):
            return "invalid"
        return str(getattr(self.exc.detail, "code", self.exc.default_code))

    def _detail(self, errors: list[dict[str, Any]]) -> str:
        if not isinstance(self.exc, ValidationError):
            return str(self.exc.detail)
        first = errors[0]
        places = [f"number {first['index']}" if first["index"] is not None else "", first["field"] or ""]
        place = ", ".join(filter(None, places))
        said = f"{place}: {first['message']}" if place else first["message"]
        return said if len(errors) == 1 else f"{len(errors)} values are invalid; the first is {said}"

    def _members(self) -> list[dict[str, Any]]:
        if isinstance(self.exc, Refused):
            refusal = self.exc.refusal
            if isinstance(refusal, BatchRefused):
                return [_refused(error, index) for index, error in sorted(refusal.errors.items())]
            return [_refused(refusal)] if refusal.field else []
        if isinstance(self.exc, ValidationError):
            return [_invalid(error) for error in self.get_errors()]
        return []


def _refused(error: GamificationError, index: int | None = None) -> dict[str, Any]:
    return {"index": index, "field": error.field or None, "code": error.code, "message": error.message}


def _invalid(error: Error) -> dict[str, Any]:
    first, _, rest = (error.attr or "").partition(".")
    index, field = (int(first), rest) if first.isdecimal() and first.isascii() else (None, error.attr)
    is_named = field and field != api_settings.NON_FIELD_ERRORS_KEY
    return {"index": index, "field": field if is_named else None, "code": error.code, "message": error.detail}
