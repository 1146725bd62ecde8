"""When is a question sent? Once, however often one presses; and not by the Enter that chooses a Chinese word."""

from playwright.sync_api import expect

from tests.browser.chatting import answer, ask, box, expect_state, questions, until
from tests.browser.conftest import Visit
from tests.browser.portal import Portal


def test_two_enters_are_one_question(visit: Visit, portal: Portal) -> None:
    page = visit()
    first = "echo: a new conversation, pressed twice"
    box(page).fill(first)
    page.evaluate(
        """() => {
          const box = document.querySelector("#composer textarea");
          const press = () => box.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true }));
          press();
          press();
        }"""
    )
    expect_state(answer(page), "complete")
    again = "echo: in a conversation, pressed twice"
    box(page).press_sequentially(again)
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    expect(questions(page)).to_have_count(2)
    expect_state(answer(page), "complete")
    assert (portal.count_questions(first), portal.count_questions(again)) == (1, 1)


def test_a_double_click_is_one_question(visit: Visit, portal: Portal) -> None:
    page = visit()
    texts = ["echo: a new conversation, clicked twice", "echo: in a conversation, clicked twice"]
    for count, text in enumerate(texts, 1):
        box(page).fill(text)
        page.get_by_role("button", name="Send").dblclick()
        expect(questions(page)).to_have_count(count)
        expect_state(answer(page), "complete")
    assert [portal.count_questions(text) for text in texts] == [1, 1]


def test_enter_while_composing_chooses_a_word_and_sends_nothing(visit: Visit, portal: Portal) -> None:
    page = visit()
    ask(page, "echo: 你好")
    expect_state(answer(page), "complete")
    box(page).focus()
    # Chromium's own input method, as far as it can be driven from outside
    keyboard = page.context.new_cdp_session(page)
    composing = {"text": "zaijian", "selectionStart": 7, "selectionEnd": 7}
    keyboard.send("Input.imeSetComposition", composing)
    expect(box(page)).to_have_value("zaijian")
    page.keyboard.press("Enter")
    # Safari: the composition has just ended when its Enter arrives
    keyboard.send("Input.insertText", {"text": "再见"})
    page.evaluate(
        """() => {
          const box = document.querySelector("#composer textarea");
          box.dispatchEvent(new CompositionEvent("compositionend", { data: "再见", bubbles: true }));
          box.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true, cancelable: true }));
        }"""
    )
    # Others say it with the key's code
    box(page).dispatch_event("keydown", {"key": "Enter", "keyCode": 229})
    page.wait_for_timeout(300)
    assert "再见" in box(page).input_value()
    expect(questions(page)).to_have_count(1)

    box(page).press("Enter")
    expect(questions(page)).to_have_count(2)
    until(lambda: box(page).input_value() == "", "a fresh box")
