"""/docs and /redoc without internet access: the pages and the four files they need.

Owns these pages. The files come from the package fastapi_offline, of which nothing is imported. The
content security policy lets the browser load from this service alone.
"""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path

from fastapi import APIRouter, HTTPException
from fastapi.openapi.docs import get_redoc_html
from fastapi.responses import FileResponse, HTMLResponse

from disgram.api.openapi import CLEARING

_SWAGGER_JS, _SWAGGER_CSS = "swagger-ui-bundle.js", "swagger-ui.css"
_REDOC_JS, _ICON = "redoc.standalone.js", "favicon.png"
_ASSETS = frozenset({_SWAGGER_JS, _SWAGGER_CSS, _REDOC_JS, _ICON})
_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; font-src 'self' data:; worker-src blob:; object-src 'none'; "
    "base-uri 'none'; frame-ancestors 'none'"
)


_SWAGGER_PAGE = f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>$TITLE</title>
<link rel="icon" href="assets/{_ICON}">
<link rel="stylesheet" href="assets/{_SWAGGER_CSS}">
</head>
<body>
<div id="swagger-ui"></div>
<script src="assets/{_SWAGGER_JS}"></script>
<script>
"use strict";
// A browser sends each character of a header's value as one byte, and refuses others: give it those of UTF-8.
const asBytes = text =>
  Array.from(new TextEncoder().encode(text), byte => String.fromCharCode(byte)).join("");
// OpenAPI knows empty values of queries alone; Swagger UI then offers the box "Send empty value".
const offerEmpty = document => {{
  for (const path of Object.values(document.paths || {{}}))
    for (const operation of Object.values(path))
      for (const parameter of operation.parameters || [])
        if ((parameter.description || "").endsWith({json.dumps(CLEARING)})) parameter.allowEmptyValue = true;
  return document;
}};
SwaggerUIBundle({{
  url: "openapi.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  validatorUrl: null,
  defaultModelsExpandDepth: -1,
  showMutatedRequest: false,
  requestInterceptor: request => {{
    for (const [name, value] of Object.entries(request.headers || {{}}))
      request.headers[name] = asBytes(String(value));
    return request;
  }},
  plugins: [() => ({{ statePlugins: {{ spec: {{ wrapActions: {{
    updateJsonSpec: original => document => original(offerEmpty(document)),
  }} }} }} }})],
}});
</script>
</body>
</html>
"""


def docs_routes(title: str) -> APIRouter:
    """The routes, none of them in the OpenAPI document. Links are relative: a proxy may add a path prefix."""
    router = APIRouter(include_in_schema=False)

    @router.get("/docs")
    def swagger() -> HTMLResponse:
        return _with_policy(HTMLResponse(_SWAGGER_PAGE.replace("$TITLE", title)))

    @router.get("/redoc")
    def redoc() -> HTMLResponse:
        return _with_policy(
            get_redoc_html(
                openapi_url="openapi.json",
                title=title,
                redoc_js_url=f"assets/{_REDOC_JS}",
                redoc_favicon_url=f"assets/{_ICON}",
                with_google_fonts=False,
            )
        )

    @router.get("/assets/{name}")
    def asset(name: str) -> FileResponse:
        if name not in _ASSETS:
            raise HTTPException(404)
        return FileResponse(_folder() / name, headers={"Cache-Control": "public, max-age=86400"})

    return router


def _with_policy(page: HTMLResponse) -> HTMLResponse:
    page.headers["Content-Security-Policy"] = _POLICY
    page.headers["X-Content-Type-Options"] = "nosniff"
    return page


def _folder() -> Path:
    found = find_spec("fastapi_offline")
    if found is None or not found.submodule_search_locations:
        raise HTTPException(404)
    return Path(found.submodule_search_locations[0]) / "static"
