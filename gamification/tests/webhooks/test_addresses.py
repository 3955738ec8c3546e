"""Where webhooks go: to public addresses over https, straight to the address that was checked, and nowhere else."""

from __future__ import annotations

import ipaddress
import socket
import ssl
import subprocess
import time

import pytest

from gamification.engine import addresses, posting
from gamification.engine.posting import Answer
from gamification.exceptions import InvalidInput
from gamification.models import WebhookDelivery, WebhookEndpoint
from gamification.services import webhooks, xp
from gamification.tests.webhooks.conftest import NOON
from gamification.tests.webhooks.receivers import receiver

PUBLIC = ["8.8.8.8", "93.184.216.34", "2606:4700:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1"]
# fmt: off
PRIVATE = [
    "127.0.0.1", "127.9.9.9", "0.0.0.0", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "169.254.169.254",
    "100.64.0.1", "192.0.2.1", "198.18.0.1", "203.0.113.9", "224.0.0.1", "239.255.255.250", "240.0.0.1",
    "255.255.255.255", "::", "::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1",
    "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "2002:7f00:1::1", "2002:a9fe:a9fe::", "fe80::1", "fe80::1%eth0", "fec0::1",
    "fc00::1", "fd00:ec2::254", "ff02::1", "2001:db8::1", "100::1",
]
# fmt: on


@pytest.fixture
def names(monkeypatch):
    """Return a dict of the addresses of names; each time that a name is asked for, the next of its lists is told."""
    known = {}
    asked = []

    def getaddrinfo(host, port, *args, **kwargs):
        asked.append(host)
        if host not in known:
            return real(host, port, *args, **kwargs)
        lists = known[host]
        found = lists.pop(0) if len(lists) > 1 else lists[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in found]

    real = socket.getaddrinfo
    monkeypatch.setattr(addresses.socket, "getaddrinfo", getaddrinfo)
    known["asked"] = asked
    return known


@pytest.mark.parametrize("address", PUBLIC)
def test_an_address_of_the_internet_is_public(address):
    assert addresses.is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", PRIVATE)
def test_an_address_of_our_own_or_of_nobody_is_not(address):
    assert not addresses.is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "url",
    [
        "http://8.8.8.8/",
        "ftp://8.8.8.8/",
        "file:///etc/passwd",
        "gopher://8.8.8.8/",
        "//8.8.8.8/",
        "8.8.8.8",
        "",
        "https://",
        "https://user@8.8.8.8/",
        "https://user:password@8.8.8.8/",
        "https://8.8.8.8/#here",
        "https://8.8.8.8:99999/",
        "https://8.8.8.8:0/",
        "https://[::1/",
        "https://8.8.8.8/a b",
        "https://8.8.8.8/\r\nX-Evil: 1",
        "https://müller.example/",
        "https://127.0.0.1/",
        "https://localhost/",
        "https://2130706433/",
        "https://0x7f000001/",
        "https://127.1/",
        "https://0/",
        "https://[::ffff:127.0.0.1]/",
        "https://[::]/",
        "https://169.254.169.254/latest/meta-data/",
    ],
)
def test_a_url_that_leads_anywhere_else_is_refused_when_it_is_entered_and_when_it_is_used(url):
    with pytest.raises(InvalidInput) as refused:
        webhooks.check_url(url)

    assert refused.value.field == "url"
    assert posting.post(url, b"", {}, 1) == Answer(failure="forbidden")


@pytest.mark.parametrize("url", ["https://8.8.8.8/", "https://8.8.8.8:8443/a?b=c", "https://[2606:4700:4700::1111]/"])
def test_a_public_url_is_taken(url):
    webhooks.check_url(url)


def test_a_name_without_an_address_is_taken_and_fails_when_it_is_used(names):
    url = "https://" + "x" * 70 + ".example/"  # longer than a label may be

    webhooks.check_url(url)

    assert posting.post(url, b"", {}, 1) == Answer(failure="no_address")


@pytest.mark.parametrize("found", [["127.0.0.1"], ["8.8.8.8", "10.0.0.1"], ["169.254.169.254", "8.8.8.8"]])
def test_one_private_address_of_a_name_forbids_them_all(names, found):
    names["hooks.example"] = [found]

    with pytest.raises(InvalidInput, match="not public"):
        webhooks.check_url("https://hooks.example/")


def test_a_name_that_turns_private_after_it_was_entered_gets_nothing(ada, names, server):
    names["hooks.example"] = [["8.8.8.8"], ["127.0.0.1"]]
    port = server.url.split(":")[2].partition("/")[0]
    webhooks.add(f"https://hooks.example:{port}/", ["xp.awarded"])
    xp.award(ada, 10, reason="helped", key="k", now=NOON)

    webhooks.deliver()

    assert [each.last_failure for each in WebhookDelivery.objects.all()] == ["forbidden"]
    assert server.received == []


def test_a_name_is_asked_for_once_and_the_address_that_was_checked_is_the_one_connected_to(allowed, names, server):
    """A server of names that answers differently the second time finds nobody who asks."""
    names["hooks.example"] = [["127.0.0.1"], ["203.0.113.1"]]
    url = server.url.replace("127.0.0.1", "hooks.example")

    answer = posting.post(url, b"{}", {}, 2)

    assert answer.status == 204
    assert names["asked"].count("hooks.example") == 1
    assert server.received[0].headers["host"].startswith("hooks.example:")


def test_the_next_address_is_tried_where_nobody_listens_on_the_first(allowed, names, server):
    names["hooks.example"] = [["127.0.0.9", "127.0.0.1"]]

    assert posting.post(server.url.replace("127.0.0.1", "hooks.example"), b"{}", {}, 2).status == 204


def test_a_redirect_to_our_own_machines_is_not_followed(allowed, server):
    server.answer = lambda received, handler: (307, {"Location": "/metadata"})

    assert posting.post(server.url, b"{}", {}, 2).status == 307
    assert [each.path for each in server.received] == ["/hooks?from=us"]


def test_nothing_is_sent_over_a_connection_that_came_too_late(allowed, server, monkeypatch):
    connect = posting.HTTPConnection.connect
    monkeypatch.setattr(posting.HTTPConnection, "connect", lambda self: (time.sleep(0.3), connect(self)))

    answer = posting.post(server.url, b"{}", {}, 0.1)

    time.sleep(0.1)
    assert answer == Answer(failure="timeout")
    assert server.received == []


def test_a_proxy_of_the_environment_is_not_used(allowed, server, monkeypatch):
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9/")

    assert posting.post(server.url, b"{}", {}, 2).status == 204


# Encryption


@pytest.fixture
def certificate(tmp_path):
    """Return a certificate with its key, for ``hooks.example``."""
    path = tmp_path / "both.pem"
    subject = ["-subj", "/CN=hooks.example", "-addext", "subjectAltName=DNS:hooks.example"]
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", str(path)]
    made = ["openssl", "req", "-x509", *key, "-out", str(tmp_path / "cert.pem"), "-days", "2", *subject]
    subprocess.run(made, check=True, capture_output=True)
    path.write_text(path.read_text() + (tmp_path / "cert.pem").read_text())
    return path


@pytest.mark.parametrize(
    ("name", "is_trusted", "expected"),
    [
        ("hooks.example", True, Answer(status=204)),
        ("hooks.example", False, Answer(failure="tls")),
        ("other.example", True, Answer(failure="tls")),
    ],
)
def test_the_certificate_has_to_be_for_the_name_and_trusted(
    allowed, names, certificate, monkeypatch, name, is_trusted, expected
):
    names[name] = [["127.0.0.1"]]
    ours = ssl.create_default_context(cafile=str(certificate) if is_trusted else None)
    monkeypatch.setattr(posting, "_tls", lambda: ours)
    theirs = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    theirs.load_cert_chain(certificate)

    with receiver(theirs) as server:
        answer = posting.post(server.url.replace("127.0.0.1", name), b"{}", {}, 5)

    assert answer == expected
    assert len(server.received) == (expected.status is not None)


def test_the_systems_certificates_are_asked_for():
    context = posting._tls()

    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)


@pytest.mark.django_db
def test_an_endpoint_that_was_allowed_once_is_checked_by_the_setting_of_today(endpoint, server, ada, settings):
    xp.award(ada, 10, reason="helped", key="k", now=NOON)
    settings.GAMIFICATION = {**settings.GAMIFICATION, "WEBHOOKS_ALLOW_PRIVATE": False}

    webhooks.deliver()

    assert server.received == []
    assert WebhookEndpoint.objects.get().failing_since is not None
