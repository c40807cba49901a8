"""When the certificate of an application runs out."""

from __future__ import annotations

from calferry.ports import Expiring
from calferry.sandbox import GraphServer
from calferry.sandbox.graph import application_certificate
from calferry.targets.office365.certificate import end_of
from tests.targets.office365_world import target_for


def test_a_certificate_tells_when_it_ends_wherever_its_key_stands(graph: GraphServer) -> None:
    signed = application_certificate()
    end = signed.certificate.not_valid_after_utc
    for pem in (signed.key_pem + signed.certificate_pem, signed.certificate_pem + signed.key_pem):
        target = target_for(graph, client_secret=None, certificate=pem.decode())
        assert isinstance(target, Expiring)
        assert target.expires_at() == end


def test_a_secret_does_not_tell_and_what_is_no_certificate_does_not_either(graph: GraphServer) -> None:
    assert target_for(graph).expires_at() is None
    assert end_of("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----") is None
    assert end_of("") is None
