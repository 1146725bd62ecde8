"""Which socket is which?"""

from django.urls import path, re_path

from webchat.chat.consumers import ConversationConsumer, UnknownPathConsumer

websocket_urlpatterns = [
    path("ws/conversations/<uuid:pk>/", ConversationConsumer.as_asgi()),
    re_path("", UnknownPathConsumer.as_asgi()),
]
