"""Load balancers ask without signing in, and learn nothing else."""

import pytest
from django.test import Client


@pytest.mark.parametrize(("path", "said"), [("/healthz", b"ok\n"), ("/readyz", b"ready\n")])
def test_a_portal_that_works_says_so(client: Client, db: None, path: str, said: bytes) -> None:
    response = client.get(path)
    assert (response.status_code, response.content) == (200, said)
    assert response["Content-Type"] == "text/plain" and not response.cookies


def test_alive_is_said_without_a_database(client: Client) -> None:
    assert client.get("/healthz").status_code == 200
