"""Who asks is told by the named proxy, and by nobody else who says so."""

import asyncio

import httpx
import pytest

from hub.serve import api_config
from hub.settings import Settings


async def told(scope, _receive, send):
    """Answers with the address that a route would see."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": scope["client"][0].encode()})


def seen(settings, *, peer, forwarded):
    config = api_config(told, settings)
    config.load()

    async def ask():
        transport = httpx.ASGITransport(config.loaded_app, client=(peer, 4711))
        async with httpx.AsyncClient(transport=transport, base_url="http://hub.test") as client:
            return (await client.get("/", headers={"x-forwarded-for": forwarded})).text

    return asyncio.run(ask())


@pytest.mark.parametrize(
    ("proxy", "peer", "address"),
    [
        ("", "10.0.0.2", "10.0.0.2"),
        ("10.0.0.2", "10.0.0.2", "198.51.100.7"),
        ("10.0.0.0/8", "10.0.0.2", "198.51.100.7"),
        ("10.0.0.2", "10.0.0.3", "10.0.0.3"),
        ("127.0.0.1", "198.51.100.8", "198.51.100.8"),
    ],
)
def test_a_header_is_believed_from_the_named_proxy_alone(tmp_path, proxy, peer, address):
    settings = Settings(home=tmp_path, proxy_address=proxy)

    assert seen(settings, peer=peer, forwarded="198.51.100.7") == address


def test_what_a_caller_says_of_itself_before_the_proxy_is_not_believed(tmp_path):
    settings = Settings(home=tmp_path, proxy_address="10.0.0.2")

    assert seen(settings, peer="10.0.0.2", forwarded="127.0.0.1, 198.51.100.7") == "198.51.100.7"
