"""Does the demo answer what was asked, in the language of the question, and from the conversation so far?"""

import base64
import io

import pytest
from PIL import Image

from tests.demo.conftest import Asker


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("Say this is a test!", "This is a test!"),
        ("echo: a  *b*\n c ", "a  *b*\n c "),
        ("What is 12 * (3 + 4)?", "12 * (3 + 4) = 84."),
        ("1+1=?", "1+1 = 2."),
        ("7/2", "7/2 = 3.5."),
        ("1+1等于多少？", "1+1 = 2。"),
        ("count to 5", "1, 2, 3, 4, 5"),
        ("从1数到3", "1，2，3"),
        ("你好", "你好！有什么可以帮你的吗？"),
        ("你好，我叫李雷，1+1等于多少？", "你好，李雷！很高兴认识你。1+1 = 2。"),
        ("Please translate good morning", "“good morning” → “早上好”"),
        ("summarise: The boat is late. Nobody minds.", "In one sentence: The boat is late."),
    ],
)
async def test_short_questions_have_short_answers(ask: Asker, question: str, answer: str) -> None:
    assert await ask.answer(question) == answer


@pytest.mark.parametrize("question", ["call me on 010-1234", "What about 1/0?", "2024-01-05 was a Friday"])
async def test_not_everything_with_digits_is_a_sum(ask: Asker, question: str) -> None:
    assert " = " not in await ask.answer(question)


@pytest.mark.parametrize(
    ("question", "shown"),
    [
        ("show me some markdown", ["## ", "- [x]", "| --- |", "```python", "$e^{i", "[^1]", "> "]),
        ("用 Markdown 展示一下", ["## ", "- [x]", "| --- |", "```python", "$e^{i", "[^1]", "> "]),
        ("a Python example", ["```python"]),
        ("JavaScript please", ["```javascript"]),
        ("an SQL query", ["```sql"]),
        ("a bash script", ["```bash"]),
        ("写一段代码", ["```python", "```javascript", "```sql"]),
        ("a formula", ["$$\n"]),
        ("请给我一个公式", ["$$\n"]),
        ("a table", ["| --- |"]),
        ("a checklist", ["- [ ]"]),
        ("列出步骤", ["1. "]),
        ("with footnotes", ["[^ship]:"]),
        ("a famous quote", ["> "]),
        ("some links", ["](https://"]),
    ],
)
async def test_topics_show_what_the_portal_can_render(ask: Asker, question: str, shown: list[str]) -> None:
    answer = await ask.answer(question)
    assert [part for part in shown if part not in answer] == []


async def test_long_answers_are_long(ask: Asker) -> None:
    assert len((await ask.answer("Tell me in detail")).split()) >= 800
    assert len(await ask.answer("请详细说明")) >= 1200


async def test_an_unknown_question_is_quoted_and_the_demo_says_what_it_is(ask: Asker) -> None:
    answer = await ask.answer("Why is\nthe sea salty?")
    assert "> Why is\n> the sea salty?" in answer
    assert answer.count("demo") == 1
    assert "turn 1 " in answer
    assert "turn 3 " in await ask.answer("First", "ok", "Second", "ok", "Why is the sea salty?")
    assert "这是演示" in await ask.answer("海水为什么是咸的？")


async def test_names_are_remembered(ask: Asker) -> None:
    assert "Ada" in await ask.answer("My name is Ada", "Hello, Ada!", "What is my name?")
    assert "李雷" in await ask.answer("我叫李雷。", "你好", "我叫什么？")
    assert "not told me" in await ask.answer("What is my name?")


async def test_the_conversation_so_far_is_known(ask: Asker) -> None:
    talk = ("Where is Lima?", "In Peru.", "And Quito?", "In Ecuador.")
    assert "3 from you and 2 from me" in await ask.answer(*talk, "How many messages are there?")
    assert "And Quito?" in await ask.answer(*talk, "What did I just ask?")
    summary = await ask.answer(*talk, "Please summarise")
    assert "1. Where is Lima?\n2. And Quito?" in summary
    assert "1. 北京在哪里" in await ask.answer("北京在哪里", "在中国", "总结一下")


async def test_the_system_prompt_is_visible_in_the_answer(ask: Asker) -> None:
    answer = await ask.answer("Why?", system="You are a pirate. Answer in French.")
    assert "I am a pirate, and answers are to be in French" in answer
    assert "“有帮助的助手”" in await ask.answer("为什么？", system="你是个有帮助的助手")
    assert "Be brief" in await ask.answer("Why?", system="Be brief.")
    assert await ask.answer("echo: x", system="You are a pirate.") == "x"


@pytest.mark.parametrize(
    ("talk", "title"),
    [
        (
            ["How do I sort a list in Python?", "…", "Write a short title for this conversation."],
            "Sort a list in Python",
        ),
        (
            ["Give this conversation a title of 2 to 6 words.\n\nUser: Where is Lima?\nAssistant: Peru"],
            "Where is Lima",
        ),
        (["hello", "Hi!", "A title for this chat, please"], "About hello"),
        (["怎么做番茄炒蛋？", "…", "请用不超过 10 个字为这段对话起一个标题"], "怎么做番茄炒蛋"),
        (["请问，北京的天气怎么样？", "…", "Write a title for this conversation."], "北京的天气怎么样"),
    ],
)
async def test_a_title_is_a_few_words_of_the_question(ask: Asker, talk: list[str], title: str) -> None:
    assert await ask.answer(*talk) == title


async def test_a_title_is_also_made_when_the_system_prompt_asks_for_it(ask: Asker) -> None:
    system = "Reply with a title of at most six words for the conversation."
    question = "How do I sort a list in Python?"
    assert await ask.answer(question, system=system) == "Sort a list in Python"
    exchange = f"Question: {question}\n\nAnswer: A title in two words. 用 sorted。"
    assert await ask.answer(exchange, system=system) == "Sort a list in Python"


@pytest.mark.parametrize("temperature", [0, 0.7])
async def test_continue_goes_on_where_the_answer_was_cut(ask: Asker, temperature: float) -> None:
    question = "a long answer, please"
    whole = await ask.answer(question, temperature=temperature)
    first = await ask.answer(question, temperature=temperature, max_tokens=50)
    second = await ask.answer(question, first, "Continue", temperature=temperature, max_tokens=50)
    third = await ask.answer(question, first, "Continue", second, "continue", temperature=temperature)
    assert first + second + third == whole
    prefilled = await ask.answer(question, first + second, temperature=temperature)
    assert prefilled == third


async def test_there_is_nothing_to_continue_after_the_end(ask: Asker) -> None:
    whole = await ask.answer("count to 3")
    assert "nothing left" in await ask.answer("count to 3", whole, "continue")


async def test_the_size_of_a_picture_is_seen(ask: Asker) -> None:
    file = io.BytesIO()
    Image.new("RGB", (31, 17)).save(file, "PNG")
    url = "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()
    content = [{"type": "text", "text": "What is this?"}, {"type": "image_url", "image_url": {"url": url}}]
    answer = await ask.answer(model="gpt-4-vision-preview", messages=[{"role": "user", "content": content}])
    assert "31 × 17 pixels" in answer


async def test_the_slow_model_has_300_chunks_and_a_name_can_hurry_it(ask: Asker) -> None:
    chunks = await ask.chunks("hello", model="demo-slow@0ms")
    assert sum("content" in choice["delta"] for chunk in chunks for choice in chunk["choices"]) == 300
