"""Import and export of definitions: a file, what it would change, and only then the change, all of it or nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from django import forms
from django.contrib import messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.core import signing
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from gamification.admin import definition_files, imports
from gamification.admin.base import Tool
from gamification.admin.definition_files import CONTENT_TYPES, MAX_BYTES, MAX_ROWS, FileProblem
from gamification.admin.pages import PageAdmin
from gamification.admin.people import actor
from gamification.models import Achievement

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

PREVIEW_SECONDS = 3600
SALT = "gamification.import"
PROBLEMS_SHOWN = 100


class UploadForm(forms.Form):
    """A file of definitions."""

    file = forms.FileField(label=gettext_lazy("File"), max_length=255)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["file"]
        field.widget.attrs["accept"] = ",".join(f".{each}" for each in (*definition_files.formats(), "yml"))
        field.help_text = _(
            "UTF-8, at most {size} KB and {rows} definitions. What would change is shown before anything does."
        ).format(size=f"{MAX_BYTES // 1000:,}", rows=f"{MAX_ROWS:,}")

    def clean_file(self) -> dict[str, str]:
        upload = self.cleaned_data["file"]
        if upload.size > MAX_BYTES:
            said = _("The file is larger than {size} KB.").format(size=f"{MAX_BYTES // 1000:,}")
            raise ValidationError(said, code="too_large")
        try:
            return {"name": upload.name, "text": definition_files.decoded(upload.read())}
        except FileProblem as error:
            raise ValidationError(str(error), code="unreadable") from error


class FormatForm(forms.Form):
    """Which kind of file to write."""

    format = forms.ChoiceField(label=gettext_lazy("Format"), widget=forms.RadioSelect, initial="csv")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        cast("forms.ChoiceField", self.fields["format"]).choices = [
            (each, each.upper()) for each in definition_files.formats()
        ]


class TransferAdmin(PageAdmin[Achievement]):
    """Adds a page to import definitions and one to export those that the list shows."""

    def locked_fields(self, request: HttpRequest, row: Achievement | None) -> tuple[str, ...]:
        """Return what this person may not change of a definition."""
        raise NotImplementedError

    def pages(self) -> dict[str, Callable[[HttpRequest], HttpResponse]]:
        return {**super().pages(), "import": self.import_page, "export": self.export_page}

    def list_tools(self, request: HttpRequest) -> list[Tool]:
        tools = super().list_tools(request)
        if self._may_import(request):
            tools.append(Tool(_("Import"), self.url("import")))
        if self.has_view_permission(request):
            asked = request.GET.urlencode()
            tools.append(Tool(_("Export"), f"{self.url('export')}{'?' if asked else ''}{asked}"))
        return tools

    def _may_import(self, request: HttpRequest) -> bool:
        return self.has_add_permission(request) and self.has_change_permission(request)

    # Import

    def import_page(self, request: HttpRequest) -> HttpResponse:
        """Take a file, show what it would change, and change it when that is what was asked for."""
        if not self._may_import(request):
            raise PermissionDenied
        if "confirmed" in request.POST:
            return self._confirmed(request, request.POST["confirmed"])
        form = UploadForm(request.POST or None, request.FILES or None)
        if request.method == "POST" and form.is_valid():
            upload = form.cleaned_data["file"]
            try:
                plan = self._plan(request, upload)
            except FileProblem as error:
                form.add_error("file", str(error))
            else:
                return self._preview(request, upload, plan)
        return self._import_page(request, form)

    def _plan(self, request: HttpRequest, upload: dict[str, str], *, is_held: bool = False) -> imports.Plan:
        entries = definition_files.read(upload["name"], upload["text"])
        return imports.planned(entries, lambda row: self.locked_fields(request, row), is_held=is_held)

    def _import_page(self, request: HttpRequest, form: forms.Form, **context: Any) -> HttpResponse:
        response = self.form_page(
            request, form, title=_("Import achievements"), submit=_("Show what changes"), **context
        )
        response.template_name = "admin/gamification/achievement/import.html"
        return response

    def _preview(self, request: HttpRequest, upload: dict[str, str], plan: imports.Plan) -> HttpResponse:
        if not plan.problems and not plan.changes:
            self.message_user(request, _("Nothing to import: everything is as in the file."), messages.INFO)
            return HttpResponseRedirect(self.list_url(request))
        kept = {**upload, "digest": plan.digest, "user": str(actor(request).pk)}
        return self._import_page(
            request,
            UploadForm(),
            plan=plan,
            problems=plan.problems[:PROBLEMS_SHOWN],
            hidden=max(0, len(plan.problems) - PROBLEMS_SHOWN),
            confirmed="" if plan.problems else signing.dumps(kept, salt=SALT, compress=True),
        )

    def _confirmed(self, request: HttpRequest, kept: str) -> HttpResponse:
        """Do what was shown; when the definitions are no longer what they were, show it again."""
        try:
            upload = signing.loads(kept, salt=SALT, max_age=PREVIEW_SECONDS)
        except signing.BadSignature:
            upload = {}
        if upload.get("user") != str(actor(request).pk):
            self.message_user(request, _("This is too long ago. Choose the file again."), messages.ERROR)
            return HttpResponseRedirect(self.url("import"))
        try:
            with transaction.atomic():
                plan = self._plan(request, upload, is_held=True)
                is_as_shown = not plan.problems and plan.digest == upload["digest"]
                if is_as_shown:
                    self._save(request, plan.changes)
        except (IntegrityError, FileProblem):
            plan, is_as_shown = self._plan(request, upload), False
        if not is_as_shown:
            said = _("Somebody changed the definitions in the meantime. Look again at what the file would do.")
            self.message_user(request, said, messages.WARNING)
            return self._preview(request, {name: upload[name] for name in ("name", "text")}, plan)
        told = ngettext("%d achievement was imported.", "%d achievements were imported.", len(plan.changes))
        self.message_user(request, told % len(plan.changes), messages.SUCCESS)
        return HttpResponseRedirect(self.list_url(request))

    def _save(self, request: HttpRequest, changes: Sequence[imports.Change]) -> None:
        for change in changes:
            change.row.save()
            if change.is_new:
                self.log_addition(request, change.row, _("Imported."))
            else:
                labels = ", ".join(map(imports.label_of, change.fields))
                self.log_change(request, change.row, _("Imported: {fields}.").format(fields=labels))

    # Export

    def export_page(self, request: HttpRequest) -> HttpResponse:
        """Send what the list shows as a file."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        try:
            rows = self.get_changelist_instance(request).queryset
        except IncorrectLookupParameters:
            return HttpResponseRedirect(self.list_url(request))
        form = FormatForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            chosen = form.cleaned_data["format"]
            content = definition_files.written([definition_files.values(row) for row in rows], chosen)
            name = f"achievements-{timezone.localdate():%Y-%m-%d}.{chosen}"
            headers = {"Content-Disposition": f'attachment; filename="{name}"'}
            return HttpResponse(content, content_type=f"{CONTENT_TYPES[chosen]}; charset=utf-8", headers=headers)
        number = rows.count()
        one, many = "Export %d achievement", "Export %d achievements"
        return self.form_page(request, form, title=ngettext(one, many, number) % number, submit=_("Download"))
