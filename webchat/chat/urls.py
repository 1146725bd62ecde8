"""Where is what of the conversations?"""

from django.urls import path

from webchat.chat.views import asking, conversations, spending

app_name = "chat"
urlpatterns = [
    path("conversations/", conversations.conversations, name="conversations"),
    path("conversations/<uuid:pk>/", conversations.conversation, name="conversation"),
    path("conversations/<uuid:pk>/messages/", asking.messages, name="messages"),
    path("conversations/estimate/", spending.estimate, name="estimate_first"),
    path("conversations/<uuid:pk>/estimate/", spending.estimate, name="estimate"),
    path("conversations/<uuid:pk>/rename/", conversations.rename, name="rename"),
    path("conversations/<uuid:pk>/pin/", conversations.pin, name="pin"),
    path("conversations/<uuid:pk>/delete/", conversations.delete, name="delete"),
    path("conversations/<uuid:pk>/restore/", conversations.restore, name="restore"),
    path("messages/<uuid:pk>/answers/", asking.create_answer, name="create_answer"),
    path("messages/<uuid:pk>/edits/", asking.create_edit, name="create_edit"),
    path("messages/<uuid:pk>/continuation/", asking.continue_answer, name="continue_answer"),
    path("messages/<uuid:pk>/stop/", asking.stop, name="stop"),
    path("messages/<uuid:pk>/choose/", asking.choose, name="choose"),
    path("usage/conversations/", spending.by_conversation, name="usage"),
    path("sidebar/", conversations.sidebar_page, name="sidebar"),
]
