"""A small OpenID Connect provider on 127.0.0.1, for one client, that knows one person at a time."""

import base64
import json
import secrets
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt

CLIENT_ID, CLIENT_SECRET = "portal", "portal-secret"


class IdentityProvider(ThreadingHTTPServer):
    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.claims: dict = {"sub": "42", "email": "carol@example.com", "preferred_username": "carol"}
        self.codes: set[str] = set()
        self.access_token = secrets.token_hex()


class Handler(BaseHTTPRequestHandler):
    server: IdentityProvider

    def do_GET(self) -> None:
        at = urlsplit(self.path)
        if at.path == "/.well-known/openid-configuration":
            self.answer(self.configuration())
        elif at.path == "/authorize":
            self.authorize({key: values[0] for key, values in parse_qs(at.query).items()})
        elif at.path == "/userinfo" and self.headers["Authorization"] == f"Bearer {self.server.access_token}":
            self.answer(self.server.claims)
        else:
            self.answer({}, 404)

    def configuration(self) -> dict:
        url = self.server.url
        return {
            "issuer": url,
            "authorization_endpoint": f"{url}/authorize",
            "token_endpoint": f"{url}/token",
            "userinfo_endpoint": f"{url}/userinfo",
            "jwks_uri": f"{url}/keys",
        }

    def authorize(self, asked: dict) -> None:
        assert asked["client_id"] == CLIENT_ID
        assert asked["response_type"] == "code"
        code = secrets.token_hex()
        self.server.codes.add(code)
        back = {"code": code, "state": asked["state"]}
        self.send_response(302)
        self.send_header("Location", f"{asked['redirect_uri']}?{urlencode(back)}")
        self.end_headers()

    def do_POST(self) -> None:
        body = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        basic = base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
        if self.headers["Authorization"] != f"Basic {basic}" or body["code"][0] not in self.server.codes:
            return self.answer({"error": "invalid_grant"}, 400)
        self.server.codes.remove(body["code"][0])
        claims = self.server.claims | {"iss": self.server.url, "aud": CLIENT_ID, "exp": 2**33, "iat": 1}
        id_token = jwt.encode(claims, "k" * 32)
        return self.answer(
            {"access_token": self.server.access_token, "token_type": "Bearer", "id_token": id_token}
        )

    def answer(self, body: dict, status: int = 200) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def log_message(self, *_: object) -> None:
        """Quiet."""
