"""Pages of our own that look like the admin's: a form, what it is about, and a button."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import messages
from django.contrib.admin.helpers import AdminForm
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _

from gamification.admin.base import GamificationAdmin, ModelT, chosen, ids_from
from gamification.admin.forms import ReasonForm
from gamification.admin.people import name_of, people_from
from gamification.exceptions import GamificationError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from django import forms
    from django.db.models import QuerySet


class PageAdmin(GamificationAdmin[ModelT]):
    """Adds pages below the model's own; ``pages`` names them with their views."""

    def pages(self) -> dict[str, Callable[[HttpRequest], HttpResponse]]:
        """Return the views by the last part of their address."""
        return {}

    def get_urls(self) -> list[URLPattern]:
        prefix = f"{self.opts.app_label}_{self.opts.model_name}"
        own = [
            path(f"{name.replace('_', '-')}/", self.admin_site.admin_view(view), name=f"{prefix}_{name}")
            for name, view in self.pages().items()
        ]
        return [*own, *super().get_urls()]

    def back_url(self, request: HttpRequest) -> str:
        """Return where a page was asked for from, as ``back``; the list where that is not said, or is elsewhere."""
        back = request.GET.get("back", "")
        is_ours = url_has_allowed_host_and_scheme(back, {request.get_host()}, require_https=request.is_secure())
        return back if back.startswith("/") and is_ours else self.list_url(request)

    def form_page(self, request: HttpRequest, form: forms.Form, **context: Any) -> TemplateResponse:
        """Show ``form`` under a ``title``, with the label of the button as ``submit``, and ``columns`` of ``rows``."""
        fieldsets = [(None, {"fields": list(form.fields)})]
        everything = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "form": form,
            "adminform": AdminForm(form, fieldsets, {}),  # type: ignore[arg-type]
            "errors": form.errors,
            "media": self.media + form.media,
            "back_url": self.back_url(request),
            "has_view_permission": self.has_view_permission(request),
            **context,
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "admin/gamification/form_page.html", everything)


class PeopleAdmin(PageAdmin[ModelT]):
    """Adds pages that do one thing for a user who is picked there, or for those named in the address."""

    def people_page(
        self,
        request: HttpRequest,
        make_form: Callable[..., ReasonForm],
        perform: Callable[..., None],
        **context: Any,
    ) -> HttpResponse:
        """Show the form, and ``perform`` it user by user: one who is refused stops none of the others.

        Where nobody was helped the form comes back with the reasons, else they are messages.
        """
        people = people_from(request.GET.get("users", ""))
        form = make_form(request.POST or None, admin_site=self.admin_site, is_user_known=bool(people))
        if request.method == "POST" and form.is_valid():
            refused = self._perform_for(request, form, people, perform)
            if len(refused) < max(1, len(people)):
                for user, error in refused:
                    self.message_user(request, f"{name_of(user)}: {error.message}", messages.ERROR)
                return HttpResponseRedirect(self.back_url(request))
            for user, error in refused:
                form.refuse(error, name_of(user) if len(people) > 1 else "")
        rows = [[name_of(user)] for user in people]
        return self.form_page(request, form, columns=[_("User")], rows=rows, **context)

    def _perform_for(
        self, request: HttpRequest, form: ReasonForm, people: Sequence[Any], perform: Callable[..., None]
    ) -> list[tuple[Any, GamificationError]]:
        refused: list[tuple[Any, GamificationError]] = []
        details = dict(form.cleaned_data)
        picked = details.pop("user", None)
        for user in people or [picked]:
            try:
                with transaction.atomic():
                    perform(request, user, **details)
            except GamificationError as error:
                refused.append((user, error))
        return refused


class ReasonedAdmin(PageAdmin[ModelT]):
    """Adds one thing that can be done to chosen rows, on a page that lists them and asks for the reason."""

    verb: ClassVar[str]
    permission: ClassVar[str]
    title: ClassVar[Any]
    submit: ClassVar[Any]
    columns: ClassVar[tuple[Any, ...]]
    #: What it asks for is passed to :meth:`perform`.
    reason_form: ClassVar[type[ReasonForm]] = ReasonForm
    list_select_related: ClassVar[tuple[str, ...]] = ("user",)

    def perform(self, request: HttpRequest, row: ModelT, *args: Any, **asked: Any) -> None:
        """Do it to one row, and write it to the admin's log; ``asked`` is what the form asks for, the ``reason``."""
        raise NotImplementedError

    def may_perform(self, request: HttpRequest) -> bool:
        return request.user.has_perm(self.permission)

    def done(self, number: int) -> str:
        """Return the message for ``number`` rows."""
        raise NotImplementedError

    def cells(self, row: ModelT) -> Sequence[object]:
        """Return what the page shows of a row."""
        raise NotImplementedError

    def pages(self) -> dict[str, Callable[[HttpRequest], HttpResponse]]:
        return {**super().pages(), self.verb: self.reasoned_view}

    def reasoned_url(self, rows: Sequence[ModelT]) -> str:
        """Return the address of the page for ``rows``."""
        return f"{self.url(self.verb)}?ids={','.join(str(row.pk) for row in rows)}"

    def ask_for_reason(self, request: HttpRequest, queryset: QuerySet[ModelT]) -> HttpResponseRedirect:
        """Go on to the page for the chosen rows."""
        return HttpResponseRedirect(self.reasoned_url(chosen(queryset)))

    def reasoned_view(self, request: HttpRequest) -> HttpResponse:
        if not self.may_perform(request):
            raise PermissionDenied
        ids = ids_from(request.GET.get("ids", ""))
        rows = list(self.get_queryset(request).filter(pk__in=ids).select_related(*self.list_select_related))
        if not rows:
            self.message_user(request, _("Nothing was chosen."), messages.WARNING)
            return HttpResponseRedirect(self.back_url(request))
        form = self.reason_form(request.POST or None)
        if request.method == "POST" and form.is_valid():
            self._perform_all(request, rows, **form.cleaned_data)
            return HttpResponseRedirect(self.back_url(request))
        cells = [self.cells(row) for row in rows]
        return self.form_page(request, form, title=self.title, submit=self.submit, columns=self.columns, rows=cells)

    def _perform_all(self, request: HttpRequest, rows: Sequence[ModelT], **details: Any) -> None:
        """Do it row by row: one that is refused stops none of the others."""
        number = 0
        for row in rows:
            try:
                with transaction.atomic():
                    self.perform(request, row, **details)
                number += 1
            except GamificationError as error:
                self.message_user(request, f"{row}: {error.message}", messages.ERROR)
        if number:
            self.message_user(request, self.done(number), messages.SUCCESS)
