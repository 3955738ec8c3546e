"""The OpenAPI schema of the views. drf-spectacular is an extra: without it nothing here does anything."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from rest_framework import serializers
from rest_framework.views import APIView

try:
    from drf_spectacular.extensions import OpenApiSerializerFieldExtension
    from drf_spectacular.openapi import AutoSchema
    from drf_spectacular.utils import (
        OpenApiExample,
        OpenApiParameter,
        OpenApiResponse,
        PolymorphicProxySerializer,
        extend_schema,
        extend_schema_field,
    )
except ModuleNotFoundError as error:
    if error.name != "drf_spectacular":
        raise
    IS_AVAILABLE = False
else:
    IS_AVAILABLE = True

T = TypeVar("T")

PROBLEM = "application/problem+json"
PREFIX = "Gamification"
ALWAYS = (401, 403, 429, 503)
WITH_BODY = (400, 413, 415)
KEY_SCHEMA = {"type": "string", "minLength": 1, "maxLength": 255, "pattern": r"^[\x20-\x7e]+$"}

ANSWERS: dict[int, str] = {200: "As asked.", 201: "Written.", 204: "Done; there is nothing to say."}
REPLAYED = "The key was used before: the first answer again."
PROBLEMS: dict[int, str] = {
    400: "The request breaks a rule; `errors` names each field and rule.",
    401: "Not signed in.",
    403: "Not allowed.",
    404: "There is no such thing, or not for you.",
    409: "Not possible as things stand; `code` says why.",
    413: "The body is too large.",
    415: "The body is not JSON.",
    422: "Well formed, but refused; `code` says why.",
    429: "Too many requests; `Retry-After` says how many seconds to wait.",
    503: "The database is away, locked or full; `Retry-After` says when to try again, with the same key.",
}


class ProblemErrorSerializer(serializers.Serializer[Any]):
    """One broken rule. ``index`` counts from 0 where a list was sent; ``field`` is null when it is about the whole."""

    index = serializers.IntegerField(allow_null=True)
    field = serializers.CharField(allow_null=True)
    code = serializers.CharField()
    message = serializers.CharField()


class ProblemSerializer(serializers.Serializer[Any]):
    """Why a request was refused (RFC 9457). ``code`` is stable; ``title`` and ``detail`` are for people."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    code = serializers.CharField()
    errors = ProblemErrorSerializer(many=True)  # type: ignore[assignment]


@dataclass(frozen=True)
class Query:
    """A query parameter; ``schema`` is its JSON Schema."""

    name: str
    description: str
    schema: Mapping[str, Any]


@dataclass(frozen=True)
class Either:
    """A body of one of several shapes; a serializer with ``many=True`` is a list."""

    name: str
    shapes: tuple[Any, ...]
    is_list: bool = False


@dataclass(frozen=True)
class Example:
    """A body worth showing: of the request, or of the answer with ``status``."""

    name: str
    value: Any
    status: int | None = None


def one_of(texts: Iterable[str]) -> dict[str, Any]:
    """Return the JSON Schema of a choice, in a form that gets no component of its own: such names meet the host's."""
    return {"oneOf": [{"type": "string", "enum": [str(text) for text in texts]}]}


def describe_field(schema: Mapping[str, Any] | Either) -> Callable[[T], T]:
    """Return a decorator that gives a field class its JSON Schema."""
    if not IS_AVAILABLE:
        return _as_it_is
    return cast("Callable[[T], T]", extend_schema_field(_shape(schema)))


def document(
    summary: str,
    answers: Mapping[int, Any],
    *,
    body: Any = None,
    query: Iterable[Query] = (),
    problems: Iterable[int] = (),
    is_keyed: bool = False,
    examples: Iterable[Example] = (),
) -> Callable[[T], T]:
    """Return a decorator that describes a method of a viewset: statuses to bodies, and what it can refuse with.

    401, 403, 429 and 503 are always among the ``problems``, and with a ``body`` or a key what is wrong with those.
    """
    if not IS_AVAILABLE:
        return _as_it_is
    statuses = {*ALWAYS, *problems, *(WITH_BODY if body is not None else ()), *((422,) if is_keyed else ())}
    shown = list(examples)
    said = {**PROBLEMS, **ANSWERS, **({200: REPLAYED} if is_keyed else {})}
    answered = {status: (status, _shape(shape)) for status, shape in answers.items()}
    refused = {status: ((status, PROBLEM), ProblemSerializer) for status in sorted(statuses)}
    responses = {
        key: OpenApiResponse(shape, said[status], _examples(shown, status))
        for status, (key, shape) in {**answered, **refused}.items()
    }
    decorator = extend_schema(
        summary=summary,
        request=_shape(body),
        responses=responses,
        parameters=[*(_query(each) for each in query), *_headers(is_keyed)],
        examples=_examples(shown, None),
    )
    return cast("Callable[[T], T]", decorator)


def _as_it_is(described: T) -> T:
    return described


def _shape(shape: Any) -> Any:
    if not isinstance(shape, Either):
        return shape
    return PolymorphicProxySerializer(
        component_name=f"{PREFIX}{shape.name}",
        serializers=list(shape.shapes),
        resource_type_field_name=None,
        many=shape.is_list,
    )


def _examples(examples: Iterable[Example], status: int | None) -> list[Any]:
    """Return the examples of the answer with ``status``, or with None those of the request."""
    return [
        OpenApiExample(each.name, each.value, request_only=status is None, response_only=status is not None)
        for each in examples
        if each.status == status
    ]


def _query(query: Query) -> Any:
    return OpenApiParameter(query.name, dict(query.schema), OpenApiParameter.QUERY, description=query.description)


def _headers(is_keyed: bool) -> list[Any]:
    wait = OpenApiParameter(
        "Retry-After",
        int,
        OpenApiParameter.HEADER,
        response=[429, 503],
        description="Seconds to wait, where that is known.",
    )
    if not is_keyed:
        return [wait]
    key = OpenApiParameter(
        "Idempotency-Key",
        KEY_SCHEMA,
        OpenApiParameter.HEADER,
        description="Names this event: the same key again changes nothing and is answered as the first time. "
        "It may be sent as `key` in the body instead; one of the two is required.",
    )
    replayed = OpenApiParameter(
        "Idempotent-Replayed",
        {"type": "string", "enum": ["true"]},
        OpenApiParameter.HEADER,
        response=[200],
        description="Sent with the answer to a key that was used before.",
    )
    return [wait, key, replayed]


if IS_AVAILABLE:

    class GamificationSchema(AutoSchema):
        """Name components so that they do not meet the host's, and describe the body of a DELETE."""

        def get_serializer_name(self, serializer: Any, direction: Any) -> str:
            return f"{PREFIX}{super().get_serializer_name(serializer, direction)}"

        def _unwrap_list_serializer(self, serializer: Any, direction: Any) -> Any:
            described = super()._unwrap_list_serializer(serializer, direction)
            if not described or not getattr(serializer, "max_length", None):
                return described
            return {**described, "minItems": 0 if serializer.allow_empty else 1, "maxItems": serializer.max_length}

        def _get_request_body(self, direction: Any = "request") -> Any:
            if self.method != "DELETE" or self.get_request_serializer() is None:
                return super()._get_request_body(direction)  # type: ignore[no-untyped-call]
            self.method = "POST"
            try:
                return super()._get_request_body(direction)  # type: ignore[no-untyped-call]
            finally:
                self.method = "DELETE"

    class UserFieldSchema(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
        """A user's primary key has the type that the project's user model gives it."""

        target_class = "gamification.api.fields.UserField"

        def map_serializer_field(self, auto_schema: Any, direction: Any) -> Any:
            described = auto_schema._map_model_field(self.target.model_field, direction)
            return {name: said for name, said in described.items() if name != "readOnly"}


def schema_of_views() -> Any:
    """Return what view classes hold as ``schema``; without drf-spectacular the host's ``DEFAULT_SCHEMA_CLASS``."""
    return GamificationSchema() if IS_AVAILABLE else APIView.schema
