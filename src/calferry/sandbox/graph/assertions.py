"""Assertions that an application signs with its certificate (RFC 7523)."""

from __future__ import annotations

import base64
import json
from datetime import datetime

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509 import load_pem_x509_certificate

from .world import GraphWorld

ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


def has_signed(world: GraphWorld, form: dict[str, str], audience: str, now: datetime) -> bool:
    """Whether the form carries an assertion that the application's certificate signed."""
    client_id = form.get("client_id", "")
    certificate = world.certificates.get(client_id)
    if certificate is None or form.get("client_assertion_type") != ASSERTION:
        return False
    try:
        head, payload, signature = form.get("client_assertion", "").split(".")
        header, claims = json.loads(_decoded(head)), json.loads(_decoded(payload))
        key = load_pem_x509_certificate(certificate).public_key()
        if header.get("alg") != "PS256" or not isinstance(key, rsa.RSAPublicKey):
            return False
        pad = padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.DIGEST_LENGTH)
        key.verify(_decoded(signature), f"{head}.{payload}".encode(), pad, hashes.SHA256())
    except (ValueError, InvalidSignature):
        return False
    fresh = claims.get("exp", 0) > now.timestamp()
    return bool(fresh and claims.get("aud") == audience and claims.get("iss") == claims.get("sub") == client_id)


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
