"""A passkey in software: it answers the portal's challenges as a browser with a fingerprint reader would."""

import hashlib
import os

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from fido2.cose import ES256
from fido2.utils import websafe_encode
from fido2.webauthn import AttestationObject, AttestedCredentialData, AuthenticatorData, CollectedClientData

FLAG = AuthenticatorData.FLAG


class SoftPasskey:
    def __init__(self, host: str = "testserver") -> None:
        self.host = host
        self.id = os.urandom(16)
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.user_handle = ""

    def register(self, options: dict) -> dict:
        self.user_handle = options["user"]["id"]
        public_key = ES256.from_cryptography_key(self.key.public_key())
        credential = AttestedCredentialData.create(b"\0" * 16, self.id, public_key)
        data = self._data(FLAG.ATTESTED, credential)
        return self._credential(
            clientDataJSON=self._client_data("webauthn.create", options),
            attestationObject=AttestationObject.create("none", data, {}),
        ) | {"clientExtensionResults": {"credProps": {"rk": True}}}

    def sign(self, options: dict) -> dict:
        data, client_data = self._data(), self._client_data("webauthn.get", options)
        signature = self.key.sign(data + hashlib.sha256(client_data).digest(), ec.ECDSA(SHA256()))
        answer = self._credential(authenticatorData=data, clientDataJSON=client_data, signature=signature)
        answer["response"]["userHandle"] = self.user_handle
        return answer | {"clientExtensionResults": {}}

    def _data(self, flags: int = 0, credential: bytes = b"") -> AuthenticatorData:
        flags |= FLAG.USER_PRESENT | FLAG.USER_VERIFIED
        return AuthenticatorData.create(
            hashlib.sha256(self.host.encode()).digest(), FLAG(flags), 0, credential
        )

    def _client_data(self, kind: str, options: dict) -> bytes:
        return CollectedClientData.create(kind, options["challenge"], f"http://{self.host}")

    def _credential(self, **response: bytes) -> dict:
        name = websafe_encode(self.id)
        encoded = {key: websafe_encode(value) for key, value in response.items()}
        return {"type": "public-key", "id": name, "rawId": name, "response": encoded}
