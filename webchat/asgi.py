"""The front door for HTTP and sockets, and for the server's own start and end. Wiring only."""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webchat.settings")
django.setup(set_prefix=False)

# Models can be imported only after Django is set up.
from channels.auth import AuthMiddlewareStack  # noqa: E402
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from channels.security.websocket import OriginValidator  # noqa: E402
from django.conf import settings  # noqa: E402

from webchat.backoffice.lifespan import lifespan  # noqa: E402
from webchat.chat.routing import websocket_urlpatterns  # noqa: E402
from webchat.edge.hosts import KnownHosts  # noqa: E402
from webchat.pages import Pages  # noqa: E402

# A browser sends its cookies along with any page's socket; only our own pages may open one.
sockets = AuthMiddlewareStack(URLRouter(websocket_urlpatterns))
sockets = KnownHosts(OriginValidator(sockets, settings.SOCKET_ORIGINS))
application = ProtocolTypeRouter({"http": Pages(), "websocket": sockets, "lifespan": lifespan})
