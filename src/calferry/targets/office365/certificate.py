"""The certificate that an application signs in with."""

from __future__ import annotations

from datetime import datetime


def end_of(pem: str) -> datetime | None:
    """When the certificate in a PEM text ends (UTC); None where it cannot be read."""
    from cryptography.x509 import load_pem_x509_certificate

    _, begin, rest = pem.partition("-----BEGIN CERTIFICATE-----")
    inside, end, _ = rest.partition("-----END CERTIFICATE-----")
    try:
        return load_pem_x509_certificate((begin + inside + end).encode()).not_valid_after_utc
    except ValueError:
        return None
