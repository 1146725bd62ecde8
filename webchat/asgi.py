"""The front door for HTTP and sockets. Wiring only."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webchat.settings")
pages = get_asgi_application()

# Models can be imported only after Django is set up.
from channels.auth import AuthMiddlewareStack  # noqa: E402
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from channels.security.websocket import OriginValidator  # noqa: E402
from django.conf import settings  # noqa: E402

from webchat.chat.routing import websocket_urlpatterns  # noqa: E402

# A browser sends its cookies along with any page's socket; only our own pages may open one.
sockets = OriginValidator(AuthMiddlewareStack(URLRouter(websocket_urlpatterns)), settings.SOCKET_ORIGINS)
application = ProtocolTypeRouter({"http": pages, "websocket": sockets})
