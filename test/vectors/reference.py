# SPDX-License-Identifier: Apache-2.0
"""chartseal's formats written a second time, on the stock Python `cryptography` package (>= 50).

The vectors in this folder and the interop tests come from here, so that no test compares our code with itself.
"""

import hashlib
import json
import struct

from cryptography.cobblestone import Cobblestone256Decryptor, Cobblestone256Encryptor
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import (
    AEAD,
    KDF,
    KEM,
    MLKEM768X25519PrivateKey,
    MLKEM768X25519PublicKey,
    Suite,
)

SUITE = Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
ENC_LENGTH = 1120


def seal(key: bytes, context: bytes, plaintext: bytes) -> bytes:
    encryptor = Cobblestone256Encryptor(key, context)
    return encryptor.update(plaintext) + encryptor.finalize()


def open_sealed(key: bytes, context: bytes, ciphertext: bytes) -> bytes:
    decryptor = Cobblestone256Decryptor(key, context)
    return decryptor.update(ciphertext) + decryptor.finalize()


def context_of(member_id: int, record_id: bytes) -> bytes:
    return b"chartseal/v1" + struct.pack(">I", member_id) + record_id


def padded_length(n: int) -> int:
    e = n.bit_length() - 1
    s = e.bit_length()
    g = min(65536, max(256, 1 << (e - s)))
    return -(-n // g) * g


def record_plaintext(manifest: dict, body: bytes) -> bytes:
    line = json.dumps(manifest, separators=(",", ":"), ensure_ascii=False).encode()
    spaces = padded_length(len(line) + 1 + len(body)) - len(line) - 1 - len(body)
    return line + b" " * spaces + b"\n" + body


def leaf_bytes(leaf: dict) -> bytes:
    def word(value) -> bytes:
        return bytes.fromhex(value[2:]) if isinstance(value, str) else value.to_bytes(32, "big")

    names = "format memberId index kind compartment recordedDay patientId patientSeq ref contentDigest salt"
    return b"".join(word(leaf[name]) for name in names.split())


def leaf_hash(leaf: dict) -> bytes:
    return hashlib.sha256(b"\0" + leaf_bytes(leaf)).digest()


def raw_cid(digest: bytes) -> bytes:
    return bytes.fromhex("01551220") + digest


def expand_seed(seed: bytes) -> tuple[MLKEM768PrivateKey, X25519PrivateKey]:
    """X-Wing: the 32-byte seed, through SHAKE256, gives the seeds of both parts."""
    expanded = hashlib.shake_256(seed).digest(96)
    return MLKEM768PrivateKey.from_seed_bytes(expanded[:64]), X25519PrivateKey.from_private_bytes(expanded[64:])


def private_key(seed: bytes) -> MLKEM768X25519PrivateKey:
    return MLKEM768X25519PrivateKey(*expand_seed(seed))


def public_bytes(seed: bytes) -> bytes:
    ml_kem, x25519 = expand_seed(seed)
    return ml_kem.public_key().public_bytes_raw() + x25519.public_key().public_bytes_raw()


def public_key(raw: bytes) -> MLKEM768X25519PublicKey:
    return MLKEM768X25519PublicKey(
        MLKEM768PublicKey.from_public_bytes(raw[:1184]), X25519PublicKey.from_public_bytes(raw[1184:])
    )


def capsule_info(label: str, chain_id: int, access_log: bytes, access_id: bytes, leaf_digest: bytes) -> bytes:
    return label.encode() + chain_id.to_bytes(32, "big") + access_log + access_id + leaf_digest


def capsule_plaintext(leaf: dict, record_id: bytes, content_key: bytes, cid: bytes) -> bytes:
    return b"\0\1" + leaf_bytes(leaf) + record_id + content_key + bytes([len(cid)]) + cid
