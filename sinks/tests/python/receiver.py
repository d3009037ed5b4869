"""A receiver of webhooks as somebody else would write it: it checks signatures with Python's hmac and fails when asked to.

Arguments: the secret, the file to which each event taken is added as a line, and for https a certificate and its key. It prints its port. Every 7th request is answered
503 after it was taken, every 11th of the first 60 429 with Retry-After; a body with the event that /poison?ID names is refused with
422; after /closed everything is answered 403. Wrong signatures and old timestamps are answered 401, which ends the sink.
"""

import hashlib
import hmac
import http.server
import json
import ssl
import sys
import time

secret, path, certificate = sys.argv[1].encode(), sys.argv[2], sys.argv[3:]
taken = open(path, "a", buffering=1)
state = {"requests": 0, "poison": set(), "closed": False}


class Receiver(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status, **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_GET(self):
        name, _, value = self.path.partition("?")
        if name == "/poison":
            state["poison"].add(value)
        elif name == "/closed":
            state["closed"] = True
        self.answer(200)

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        stamp = self.headers["Farthing-Timestamp"]
        expected = "v1=" + hmac.new(secret, f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(expected, self.headers["Farthing-Signature"]) or abs(time.time() - int(stamp)) > 300:
            return self.answer(401)
        if state["closed"]:
            return self.answer(403)
        assert self.headers["Content-Type"] == "application/cloudevents-batch+json; charset=utf-8"
        state["requests"] += 1
        if state["requests"] % 11 == 0 and state["requests"] < 60:
            return self.answer(429, Retry_After="1")
        events = json.loads(body)
        if state["poison"] & {event["id"] for event in events}:
            return self.answer(422)
        taken.write("".join(json.dumps(event, separators=(",", ":")) + "\n" for event in events))
        # Taken, and the sender does not learn it.
        self.answer(503 if state["requests"] % 7 == 0 else 204)

    def log_message(self, *arguments):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
if certificate:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    server.socket = context.wrap_socket(server.socket, server_side=True)
print(server.server_address[1], flush=True)
server.serve_forever()
