"""Users that are not Django's."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models.functions import Lower


class Member(AbstractBaseUser):
    """Has a UUID, signs in by e-mail; none like another in whatever case it is written."""

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    email = models.EmailField(unique=True)
    is_active = models.BooleanField(default=True)

    objects = BaseUserManager["Member"]()

    class Meta:
        constraints = [models.UniqueConstraint(Lower("email"), name="host_email")]

    def __str__(self) -> str:
        return "not to be shown"


class Citizen(AbstractBaseUser):
    """Signs in by a number and has a date of birth."""

    USERNAME_FIELD = "number"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["born_on"]

    number = models.PositiveIntegerField(unique=True)
    born_on = models.DateField()

    objects = BaseUserManager["Citizen"]()

    def __str__(self) -> str:
        return "not to be shown"


class Base(models.Model):
    """What the users of another table extend."""

    note = models.CharField(max_length=10, blank=True, default="")

    def __str__(self) -> str:
        return "not to be shown"


class Extended(Base, AbstractBaseUser):
    """Spreads over two tables."""

    USERNAME_FIELD = "handle"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    handle = models.CharField(max_length=20, unique=True)

    objects = BaseUserManager["Extended"]()

    def __str__(self) -> str:
        return "not to be shown"
