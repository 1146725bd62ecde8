"""Every page keeps to its own policy: nothing on the console, nothing refused, nobody else asked."""

from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.watching import Watcher

ADMINS = [
    "/admin/",
    "/admin/accounts/user/",
    "/admin/accounts/user/1/change/",
    "/admin/accounts/invitation/add/",
    "/admin/allocation/apitoken/",
    "/admin/allocation/apitoken/add/",
    "/admin/allocation/modelinfo/",
    "/admin/allocation/modelinfo/1/change/",
    "/admin/allocation/allocation/add/",
    "/admin/allocation/usagerecord/",
    "/admin/allocation/ledgerentry/",
    "/admin/auth/group/add/",
    "/admin/dashboard/?period=week",
    "/admin/what-if/allocation/?period=month&token_limit=100",
]
ONES_OWN = [
    "/accounts/",
    "/accounts/password/change/",
    "/accounts/email/",
    "/accounts/sessions/",
    "/accounts/2fa/",
    "/accounts/2fa/totp/activate/",
    "/accounts/2fa/webauthn/add/",
    "/accounts/logout/",
]
STRANGERS = ["/accounts/login/", "/accounts/signup/", "/accounts/password/reset/"]


def test_pages_of_an_admin_and_of_everyone(visit: Visit) -> None:
    page = visit("admin")
    for path in ADMINS + ONES_OWN:
        response = page.goto(path)
        assert response, path
        assert (path, response.status) == (path, 200)


def test_pages_of_strangers(new_browser) -> None:
    page = new_browser().new_page()
    for path in STRANGERS:
        response = page.goto(path)
        assert response, path
        assert (path, response.status) == (path, 200)


def test_a_page_that_is_not_there(visit: Visit, watcher: Watcher) -> None:
    watcher.expect("status of 404")
    page = visit()
    response = page.goto("/conversations/00000000-0000-4000-8000-000000000000/")
    assert response
    assert response.status == 404
    expect(page.get_by_role("heading", level=1)).to_have_text("Nothing here")
