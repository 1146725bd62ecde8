"""A phone at night: the drawer opens and closes, one can write, and nothing scrolls sideways."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.chatting import answer, box, expect_state, questions
from tests.browser.conftest import Visit

WIDE = """echo: | one | two | three | four | five |
| --- | --- | --- | --- | --- |
| a-rather-long-cell | a-rather-long-cell | a-rather-long-cell | a-rather-long-cell | a-rather-long-cell |

```python
print("a line of code that is much longer than any phone is wide, and that nobody has broken anywhere")
```

Averyveryveryveryveryveryveryveryveryveryveryveryveryveryveryveryverylongword
https://example.org/an/address/that/is/so/long/that/it/cannot/fit/on/any/phone/in/one/line/whatever/happens

$$ a + b + c + d + e + f + g + h + i + j + k + l + m + n + o + p + q + r + s + t = u $$"""


def phone(width: int) -> dict[str, Any]:
    size = {"width": width, "height": 844}
    return {"viewport": size, "color_scheme": "dark", "has_touch": True, "is_mobile": True}


def expect_no_sideways(page: Page, width: int) -> None:
    # Not against innerWidth: a phone zooms out, and so widens that, until everything fits.
    assert page.evaluate("document.scrollingElement.scrollWidth") <= width, page.url


def test_the_drawer_and_the_composer(visit: Visit) -> None:
    page = visit("alice", **phone(390))
    drawer = page.get_by_role("complementary", name="Conversations")
    expect(drawer).to_be_hidden()
    page.get_by_role("button", name="Open the sidebar").tap()
    expect(drawer).to_be_visible()
    page.get_by_role("button", name="Close the sidebar").tap()
    expect(drawer).to_be_hidden()
    page.get_by_role("button", name="Open the sidebar").tap()
    page.touchscreen.tap(380, 400)
    expect(drawer).to_be_hidden()

    box(page).tap()
    box(page).press_sequentially("echo: first line")
    page.keyboard.press("Enter")
    page.keyboard.type("second line")
    expect(box(page)).to_have_value("echo: first line\nsecond line")
    page.get_by_role("button", name="Send").tap()
    expect_state(answer(page), "complete")
    expect(questions(page)).to_have_count(1)


@pytest.mark.parametrize("width", [320, 390])
def test_nothing_scrolls_sideways(visit: Visit, width: int) -> None:
    page = visit("alice", **phone(width))
    expect_no_sideways(page, width)
    box(page).fill(WIDE)
    page.get_by_role("button", name="Send").tap()
    expect_state(answer(page), "complete")
    expect(answer(page).get_by_role("table")).to_be_visible()
    expect_no_sideways(page, width)
    page.locator("summary[aria-label='Instructions and parameters']").tap()
    expect_no_sideways(page, width)
    page.context.clear_cookies(name="sessionid")
    page.goto("/accounts/login/")
    expect(page.get_by_role("button", name="Sign in", exact=True)).to_be_visible()
    expect_no_sideways(page, width)
