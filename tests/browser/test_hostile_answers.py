"""An answer that wants to run a script, send a request, or change the page: it is text."""

from playwright.sync_api import Page, Request, expect

from tests.browser.chatting import answer, ask, expect_state
from tests.browser.conftest import Visit

SCRIPTS = """<script>window.pwned = 1</script>

<img src=x onerror="window.pwned = 1">

<svg onload="window.pwned = 1"><animate onbegin="window.pwned = 1"></svg>

<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=window.pwned=1&gt;">

<noscript><p title="</noscript><img src=x onerror=window.pwned=1>"></noscript>

<details open ontoggle="window.pwned = 1">x</details> <iframe srcdoc="<script>parent.pwned = 1</script>"></iframe>

[one](javascript:window.pwned=1) [two](java&#10;script:window.pwned=1) [three](data:text/html,<script>1</script>)

<javascript:window.pwned=1> [four][j]

[j]: javascript:window.pwned=1

```"><script>window.pwned = 1</script>
</code></pre><script>window.pwned = 1</script>
```

$\\href{javascript:window.pwned=1}{x}$ $\\text{<img src=x onerror=window.pwned=1>}$"""

ATTRIBUTES = """<div hx-get="/pwned/" hx-trigger="load">x</div>

<div data-hx-get="/pwned/" data-hx-trigger="load" data-hx-on:htmx:load="window.pwned = 1">x</div>

<b hx-post="/pwned/" hx-trigger="revealed" hx-on::load="window.pwned = 1">x</b>

<form id="composer" hx-swap-oob="true" action="/pwned/"><button>x</button></form>

<div hx-swap-oob="beforeend:#toasts">x</div> <hx-partial hx-target="#messages">x</hx-partial>

<toast-note id="main"><template id="code-tools">x</template></toast-note> <section ws-connect="/pwned/">x</section>

<a href="/pwned/" ping="/pwned/" class="button" id="thread" style="position:fixed;inset:0">x</a>"""

REQUESTS = """![a](https://leak.example/1) ![b][r] [![c](https://leak.example/3)](https://leak.example/4)

[r]: https://leak.example/2 "t"

<img src="https://leak.example/5">

<img srcset="https://leak.example/6 2x"> <picture><source srcset="//leak.example/7"></picture>

<svg><image href="https://leak.example/8"/><use href="https://leak.example/9#x"/></svg>

<style>body { background: url(https://leak.example/10) } @import "https://leak.example/11";</style>

<link rel="stylesheet" href="https://leak.example/12"> <link rel="preconnect" href="https://leak.example"> <base href="https://leak.example/">

<video poster="https://leak.example/13" src="https://leak.example/14" autoplay></video> <object data="https://leak.example/15"></object>

<meta http-equiv="refresh" content="0;url=https://leak.example/16"> ![d](//leak.example/17) ![e](/pwned/)

<table background="https://leak.example/18"><tr><td style="background:url(https://leak.example/19)">x</td></tr></table>"""

# What no answer can bring in; the tools of a code block are ours.
FORBIDDEN = (
    ":is(script, style, link, meta, base, img, picture, svg, video, audio, source, iframe, object, embed, form,"
    " button, template, section, input:not([type=checkbox]), [style], [ping], a[href^='/'], a[href^=javascript],"
    " a[href^=data], [onerror], [onload], [ontoggle], [hx-get], [hx-post], [data-hx-get], [hx-swap-oob],"
    " [ws-connect]):not(copy-button *)"
)


def test_an_answer_runs_nothing_and_asks_nobody(visit: Visit) -> None:
    page = visit()
    requests: list[Request] = []
    page.on("request", lambda request: requests.append(request))
    for number, payload in enumerate((SCRIPTS, ATTRIBUTES, REQUESTS), 1):
        ask(page, f"echo: {payload}", model="gpt-4")
        expect_state(answer(page), "complete")
        expect_harmless(page, number)
    page.reload()
    expect_harmless(page, 3)
    assert [request.url for request in requests if "pwned" in request.url] == []
    # What else left for another origin, or broke the policy, the watcher finds.


def test_a_title_is_text_everywhere(visit: Visit) -> None:
    page = visit()
    ask(page, 'echo: x"><img src=/pwned/ onerror=window.pwned=1>', model="gpt-4")
    expect_state(answer(page), "complete")
    conversation = page.url
    page.goto("/conversations/")
    menu = page.locator(".conversation-link").first
    menu.hover()
    menu.get_by_role("button", name="Options for").click()
    menu.get_by_label("Title").fill(
        "</title><script>window.pwned=1</script><b hx-get=/pwned/ hx-trigger=load>"
    )
    menu.get_by_role("button", name="Rename").click()
    expect(menu).to_contain_text("<script>")
    page.goto(conversation)
    expect(page.get_by_role("heading", level=1)).to_contain_text("<script>")
    expect(page.locator(".sidebar :is(script, b, img)")).to_have_count(0)
    expect_harmless(page, 1)


def expect_harmless(page: Page, answers: int) -> None:
    expect(page.locator(".message[data-role=assistant]")).to_have_count(answers)
    expect(page.locator(f".message-body {FORBIDDEN}")).to_have_count(0)
    expect(page.locator("#composer")).to_have_count(1)
    expect(page.locator("#main, #thread")).to_have_count(2)
    assert page.evaluate("window.pwned") is None
