"""The `requests` session of both clients, without what `requests` looks up anew for every request.

Owns proxies and trust: HTTPS_PROXY, NO_PROXY, REQUESTS_CA_BUNDLE and their like hold as they stand when a
host is first asked. Certificates are read once per process, and a forked worker shares them. Never sends
credentials that the caller did not give: a ~/.netrc is not read. Never keeps a cookie: every worker asks as
a stranger.
"""

from __future__ import annotations

import os
import ssl
from collections.abc import Mapping, MutableMapping
from functools import lru_cache
from http.cookiejar import DefaultCookiePolicy
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.cookies import RequestsCookieJar
from requests.utils import DEFAULT_CA_BUNDLE_PATH, get_environ_proxies
from urllib3.util.ssl_ import create_urllib3_context

from disgram.http_patience import Patience, PatientAdapter


class Session(requests.Session):
    """For one thread. All of `requests.Session`, but the environment is asked once per host."""

    def __init__(self, patience: Patience | None = None) -> None:
        super().__init__()
        self.patience = patience or Patience()
        self.trust_env = False
        self.cookies = RequestsCookieJar(DefaultCookiePolicy(allowed_domains=()))
        self.mount("https://", _Adapter(self.patience))
        self.mount("http://", PatientAdapter(self.patience))

    def merge_environment_settings(
        self,
        url: str | bytes | None,
        proxies: MutableMapping[str, str] | None,
        stream: bool | None,
        verify: bool | str | None,
        cert: str | tuple[str, str] | None,
    ) -> Any:
        parts = urlsplit(url.decode() if isinstance(url, bytes) else url or "")
        found = dict(environment_proxies(parts.scheme, parts.netloc)) | dict(proxies or {})
        return {"proxies": found, "stream": stream, "verify": True, "cert": None}


class _Adapter(PatientAdapter):
    """https with the certificates at hand, where `requests` reads the whole bundle for each connection."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> Any:
        return super().init_poolmanager(*args, **kwargs, ssl_context=trust())

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        return super().proxy_manager_for(proxy, **kwargs, ssl_context=trust())

    def cert_verify(self, conn: Any, url: Any, verify: Any, cert: Any) -> None:
        conn.cert_reqs = "CERT_REQUIRED"


@lru_cache(maxsize=256)
def environment_proxies(scheme: str, netloc: str) -> Mapping[str, str]:
    """What HTTP(S)_PROXY, ALL_PROXY and NO_PROXY say of a host; netrc-like lookups left out."""
    return get_environ_proxies(f"{scheme}://{netloc}/", no_proxy=None)


@lru_cache(maxsize=1)
def trust() -> ssl.SSLContext:
    """Verifies servers against REQUESTS_CA_BUNDLE, CURL_CA_BUNDLE or certifi's certificates."""
    bundle = (
        os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE") or DEFAULT_CA_BUNDLE_PATH
    )
    context = create_urllib3_context()
    context.verify_mode, context.check_hostname = ssl.CERT_REQUIRED, True
    if Path(bundle).is_dir():
        context.load_verify_locations(capath=bundle)
    else:
        context.load_verify_locations(cafile=bundle)
    return context
