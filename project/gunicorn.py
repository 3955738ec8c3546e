"""What gunicorn is run with on a server: `gunicorn --config python:project.gunicorn project.wsgi`.

Options of the command line win.
"""

import os

bind = os.environ.get("BIND", "127.0.0.1:8000")
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
worker_class = "gthread"
threads = 4
timeout = 30
graceful_timeout = 30
keepalive = 5
# Memory that creeps up is given back, and not by all workers at once.
max_requests, max_requests_jitter = 10_000, 1_000
# Bytes of a request's first line, and number and bytes of its headers.
limit_request_line, limit_request_fields, limit_request_field_size = 4094, 100, 8190
# Who may set the scheme of a request: only the proxy, and only what SECURE_PROXY_SSL_HEADER reads.
forwarded_allow_ips = os.environ.get("FORWARDED_ALLOW_IPS", "127.0.0.1")
control_socket_disable = True
# Method, path, status, bytes, seconds. No addresses, no queries, no referrers, no browsers: the admin's searches hold
# e-mail addresses, and whoever reads logs need not learn who looked at what.
accesslog = "-"
access_log_format = "%(t)s %(m)s %(U)s %(s)s %(B)s %(L)s"
