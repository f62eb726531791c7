"""GET /dashboard: the page and its files. The page itself always loads; what it reads follows PROTECT_READS.

Owns these routes and their content security policy, which allows this service alone, and no script or style
inside the page: whatever a channel or a job is called, it is text.
"""

from __future__ import annotations

from fastapi import APIRouter, HTTPException
from fastapi.responses import FileResponse, RedirectResponse

from disgram.dashboard.page_files import FILES, PAGE, STATIC

POLICY = (
    "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
_HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}


def dashboard_routes() -> APIRouter:
    """The routes, none of them in the OpenAPI document. Links are relative: a proxy may add a path prefix."""
    router = APIRouter(include_in_schema=False)

    @router.get("/dashboard")
    def page() -> FileResponse:
        return _file(PAGE)

    @router.get("/dashboard/")
    def page_with_a_slash() -> RedirectResponse:
        return RedirectResponse("../dashboard", 308)

    @router.get("/dashboard/{name}")
    def file(name: str) -> FileResponse:
        if name not in FILES or name == PAGE:
            raise HTTPException(404)
        return _file(name)

    return router


def wants_a_page(accept: str) -> bool:
    """Whether this `Accept` is a browser's, which is sent from / to the page; curl's is `*/*`."""
    return "text/html" in accept.lower()


def to_the_page() -> RedirectResponse:
    """From / to the page, also behind a path prefix."""
    return RedirectResponse("dashboard", 307, headers={"Vary": "Accept", "Cache-Control": "no-store"})


def _file(name: str) -> FileResponse:
    return FileResponse(STATIC / name, media_type=FILES[name], headers=_HEADERS)
