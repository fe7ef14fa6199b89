"""A small OpenID provider for tests: it vouches at once for the address that it was started with.

python oidc_provider.py PORT EMAIL VERIFIED
"""

from __future__ import annotations

import secrets
import sys
import time
from urllib.parse import urlencode

import uvicorn
from joserfc import jwt
from joserfc.jwk import RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

PORT, EMAIL, VERIFIED = int(sys.argv[1]), sys.argv[2], sys.argv[3] == "yes"
SITE = f"http://127.0.0.1:{PORT}"
KEY = RSAKey.generate_key(2048, {"kid": "test", "use": "sig", "alg": "RS256"})
asked: dict[str, tuple[str, str]] = {}


def metadata(_: Request) -> Response:
    return JSONResponse(
        {
            "issuer": SITE,
            "authorization_endpoint": f"{SITE}/authorize",
            "token_endpoint": f"{SITE}/token",
            "jwks_uri": f"{SITE}/jwks",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
        }
    )


def authorize(request: Request) -> Response:
    """Nobody is asked for a password: the browser goes straight back with a code."""
    given = request.query_params
    code = secrets.token_urlsafe(8)
    asked[code] = (given["client_id"], given.get("nonce", ""))
    return RedirectResponse(f"{given['redirect_uri']}?{urlencode({'code': code, 'state': given['state']})}")


async def token(request: Request) -> Response:
    form = await request.form()
    client, nonce = asked.pop(str(form["code"]))
    now = int(time.time())
    claims = {"iss": SITE, "sub": "1", "aud": client, "iat": now, "exp": now + 600, "nonce": nonce,
              "email": EMAIL, "email_verified": VERIFIED, "name": "Somebody"}  # fmt: skip
    signed = jwt.encode({"alg": "RS256", "kid": "test"}, claims, KEY)
    return JSONResponse({"access_token": "a", "token_type": "Bearer", "expires_in": 600, "id_token": signed})


def jwks(_: Request) -> Response:
    return JSONResponse({"keys": [KEY.as_dict(private=False)]})


ROUTES = [
    Route("/.well-known/openid-configuration", metadata),
    Route("/authorize", authorize),
    Route("/token", token, methods=["POST"]),
    Route("/jwks", jwks),
]
uvicorn.run(Starlette(routes=ROUTES), host="127.0.0.1", port=PORT, log_level="warning")
