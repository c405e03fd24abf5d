"""A small Ed-Fi store of our own over real HTTP: discovery, OAuth, paging, change queries, and bad moods on demand."""

import base64
import json
import threading
from collections import Counter
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

KEY, SECRET = "promise-hub", "zsecretq"


class EdFiStore:
    """Objects by resource, each with the change version at which it came or went."""

    def __init__(self, resources, *, standard="5.1.0", years=False, changes=True, token_uses=None):
        self.objects = {
            name: {one.get("id") or str(n): (1, one) for n, one in enumerate(found)}
            for name, found in resources.items()
        }
        self.deleted = {}
        self.version = 1
        self.standard, self.years, self.changes, self.token_uses = standard, years, changes, token_uses
        self.moods = []
        self.forbidden = set()
        self.asked = []
        self.tokens = Counter()
        self.page_answer = None
        self.elsewhere = None

    def put(self, resource, one):
        self.version += 1
        self.objects.setdefault(resource, {})[one["id"]] = (self.version, one)

    def delete(self, resource, name):
        self.version += 1
        del self.objects[resource][name]
        self.deleted.setdefault(resource, []).append((self.version, name))

    def answer(self, method, path, query, headers):
        if self.moods:
            mood = self.moods.pop(0)
            if mood is not None:
                return mood
        if path == "/v7":
            return 200, self.root(headers), {}
        if path == "/v7/oauth/token":
            return self.token(headers)
        if not self.may(headers):
            return 401, {"message": "no"}, {}
        if path.endswith("/availableChangeVersions"):
            return 200, {"oldestChangeVersion": 0, "newestChangeVersion": self.version}, {}
        if self.page_answer is not None:
            return self.page_answer
        return self.page(path, {name: int(values[0]) for name, values in query.items()})

    def root(self, headers):
        host = self.elsewhere or f"http://{headers['Host']}/v7"
        year = "/{schoolYearFromRoute}" if self.years else ""
        urls = {"dataManagementApi": f"{host}/data/v3{year}/", "oauth": f"{host}/oauth/token"}
        if self.changes:
            urls["changeQueries"] = f"{host}/changeQueries/v1{year}/"
        return {"version": "7.1", "dataModels": [{"name": "Ed-Fi", "version": self.standard}], "urls": urls}

    def token(self, headers):
        expected = "Basic " + base64.b64encode(f"{KEY}:{SECRET}".encode()).decode()
        if headers.get("Authorization") != expected:
            return 401, {"error": "invalid_client"}, {}
        self.tokens["given"] += 1
        self.tokens["uses"] = 0
        return 200, {"access_token": f"t{self.tokens['given']}", "expires_in": 1800, "token_type": "bearer"}, {}

    def may(self, headers):
        self.tokens["uses"] += 1
        fresh = self.token_uses is None or self.tokens["uses"] <= self.token_uses
        return fresh and headers.get("Authorization") == f"Bearer t{self.tokens['given']}"

    def page(self, path, query):
        parts = path.split("/ed-fi/")[1].split("/")
        name = parts[0]
        self.asked.append((path, query))
        if name in self.forbidden:
            return 403, {"message": "no"}, {}
        low, high = query.get("minChangeVersion", 0), query.get("maxChangeVersion", self.version)
        if len(parts) == 2:
            found = [{"id": gone} for version, gone in self.deleted.get(name, []) if low <= version <= high]
        else:
            found = [one for version, one in self.objects.get(name, {}).values() if low <= version <= high]
        return 200, found[query["offset"] : query["offset"] + query["limit"]], {}


@contextmanager
def serving(store):
    """The address at which the store answers."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = 65536  # head and body in one piece

        def do_GET(self):
            self.reply("GET")

        def do_POST(self):
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.reply("POST")

        def reply(self, method):
            parts = urlsplit(self.path)
            status, content, headers = store.answer(method, parts.path, parse_qs(parts.query), self.headers)
            body = content if isinstance(content, bytes) else json.dumps(content).encode()
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v7"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
