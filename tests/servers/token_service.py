# SPDX-License-Identifier: Apache-2.0
"""A token service for a registry: what distribution's "Token Authentication Specification" and
"OAuth2 Token Authentication" ask for, for one user and for anonymous pulls of public/*.

usage: token_service.py PORT CERTIFICATE KEY SIGNING_CERTIFICATE SIGNING_KEY
The password comes from $STEPOP_TOKEN_PASSWORD; the identity token is "identity-" and the password.
"""

import base64
import http.server
import json
import os
import ssl
import subprocess
import sys
import time
import urllib.parse

USER = "tester"
PASSWORD = os.environ["STEPOP_TOKEN_PASSWORD"]
IDENTITY_TOKEN = "identity-" + PASSWORD
LIFETIME_S = 300


def encode(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def read_der(path):
    with open(path, encoding="ascii") as file:
        return ssl.PEM_cert_to_DER_cert(file.read())


def sign(claims, certificate, key):
    """A JSON web token; its key is known by the certificate that it carries."""
    header = {"typ": "JWT", "alg": "ES256", "x5c": [base64.b64encode(read_der(certificate)).decode()]}
    signed = encode(json.dumps(header).encode()) + b"." + encode(json.dumps(claims).encode())
    der = subprocess.run(["openssl", "dgst", "-sha256", "-sign", key], input=signed,
                         capture_output=True, check=True).stdout
    return (signed + b"." + encode(raw_signature(der))).decode()


def raw_signature(der):
    """OpenSSL's SEQUENCE of two INTEGERs as the 64 bytes that JWS wants (RFC 7518, 3.4)."""
    numbers, at = [], 2
    for _ in range(2):
        size = der[at + 1]
        numbers.append(int.from_bytes(der[at + 2:at + 2 + size], "big"))
        at += 2 + size
    return b"".join(number.to_bytes(32, "big") for number in numbers)


def grant(user, scopes):
    """What of each "repository:NAME:ACTIONS" the user may do."""
    access = []
    for scope in " ".join(scopes).split():
        kind, name, actions = scope.split(":", 2)
        allowed = [action for action in actions.split(",")
                   if user == USER or (action == "pull" and name.startswith("public/"))]
        access.append({"type": kind, "name": name, "actions": allowed})
    return access


class Service(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status, body):
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def refuse(self):
        self.answer(401, {"errors": [{"code": "UNAUTHORIZED", "message": "wrong user or password"}]})

    def give(self, user, service, scopes, name):
        now = int(time.time())
        claims = {"iss": "stepop-test", "sub": user, "aud": service, "iat": now, "nbf": now - 5,
                  "exp": now + LIFETIME_S, "jti": os.urandom(8).hex(), "access": grant(user, scopes)}
        self.answer(200, {name: sign(claims, *sys.argv[4:6]), "expires_in": LIFETIME_S})

    def do_GET(self):
        query = urllib.parse.parse_qs(urllib.parse.urlparse(self.path).query)
        authorization = self.headers.get("Authorization", "")
        user = ""
        if authorization:
            pair = base64.b64decode(authorization.removeprefix("Basic ")).decode()
            if pair != f"{USER}:{PASSWORD}":
                self.refuse()
                return
            user = USER
        self.give(user, query["service"][0], query.get("scope", []), "token")

    def do_POST(self):
        size = int(self.headers["Content-Length"])
        form = urllib.parse.parse_qs(self.rfile.read(size).decode())
        if form["grant_type"] != ["refresh_token"] or form["refresh_token"] != [IDENTITY_TOKEN]:
            self.refuse()
            return
        self.give(USER, form["service"][0], form["scope"], "access_token")

    def log_message(self, *_):
        pass


def main():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Service)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[2], sys.argv[3])
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.serve_forever()


main()
