"""Counts of requests, for throttles that stay exact when the cache is down."""

from __future__ import annotations

from django.db import models


class RequestCount(models.Model):
    """How many requests ``ident`` made in the fixed window that ends at ``ends_at``."""

    ident = models.CharField(max_length=200)
    ends_at = models.DateTimeField()
    requests = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["ident", "ends_at"], name="gamification_requests_once")]
        indexes = [models.Index(fields=["ends_at"], name="gamification_requests_expiry")]

    def __str__(self) -> str:
        return f"{self.ident}: {self.requests}"
