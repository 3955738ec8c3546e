"""The host's users."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import models


class PersonManager(BaseUserManager["Person"]):
    def create_superuser(self, email: str) -> Person:
        return self.create(email=email, is_staff=True, is_superuser=True)


class Person(AbstractBaseUser, PermissionsMixin):
    """Signs in by e-mail."""

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    email = models.EmailField(unique=True)
    is_staff = models.BooleanField(default=False)
    is_active = models.BooleanField(default=True)

    objects = PersonManager()

    class Meta:
        app_label = "host"

    def __str__(self) -> str:
        return "not to be shown"
