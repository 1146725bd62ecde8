"""What does a text look like? `render` draws a whole one, `GrowingMarkdown` one that is still arriving."""

from webchat.chat.markdown.growing import Change, GrowingMarkdown
from webchat.chat.markdown.rendering import RENDERER_VERSION, render

__all__ = ["RENDERER_VERSION", "Change", "GrowingMarkdown", "render"]
