# SPDX-License-Identifier: Apache-2.0
"""Writes the vectors in this folder anew.

Needs `cryptography==50.0.2` and `cryptography_vectors==50.0.2`. Salts and encapsulations are random, so every
run gives other bytes; there is no reason to run it unless a format gains a number.
"""

import base64
import hashlib
import json
import pathlib

import cryptography_vectors
import reference as ref

HERE = pathlib.Path(__file__).parent
PUBLISHED = pathlib.Path(cryptography_vectors.__file__).parent


def hex0x(data: bytes) -> str:
    return "0x" + data.hex()


def filler(label: str, length: int = 32) -> bytes:
    return hashlib.shake_256(label.encode()).digest(length)


def b64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def cid_text(cid: bytes) -> str:
    return "b" + base64.b32encode(cid).decode().rstrip("=").lower()


def write(name: str, source: str, content: dict) -> None:
    text = json.dumps({"source": source, **content}, indent=2, ensure_ascii=False)
    (HERE / name).write_text(text + "\n")


def chunked_encryption() -> None:
    published = json.loads((PUBLISHED / "chunked-encryption/vectors.json").read_text())
    vectors = [v for v in published["vectors"] if v["aead"] == "AEAD_AES_256_GCM"]
    source = "C2SP chunked-encryption test vectors, AES-256-GCM, as packaged in cryptography_vectors 50.0.2"
    write("chunked-encryption.json", source, {"vectors": vectors})


def x_wing() -> None:
    published = json.loads((PUBLISHED / "HPKE/hpke-pq-test-vectors.json").read_text())
    vectors = [v for v in published if v["kem_id"] == 0x647A and v["kdf_id"] == 1]
    source = "draft-ietf-hpke-pq test vectors, KEM 0x647a, HKDF-SHA256, as packaged in cryptography_vectors 50.0.2"
    write("hpke-x-wing.json", source, {"vectors": vectors})


OWN = "test/vectors/generate.py, on Python cryptography 50.0.2"


def sealed_record(name: str, body: bytes, **optional: str) -> dict:
    manifest = {
        "format": 1,
        "sourceKey": f"Observation/{name}",
        "label": f"Vector {name} \u00e9\u6c34",
        "mediaType": "application/fhir+json",
        "size": len(body),
        "sha256": hex0x(hashlib.sha256(body).digest()),
        "receivedAt": "2026-01-02T03:04:05.678Z",
        **optional,
    }
    key, record_id, member_id = filler(name + " key"), filler(name + " id", 16), 7
    plaintext = ref.record_plaintext(manifest, body)
    return {
        "name": name,
        "contentKey": hex0x(key),
        "memberId": member_id,
        "recordId": hex0x(record_id),
        "manifest": manifest,
        "body": base64.b64encode(body).decode(),
        "sealed": base64.b64encode(ref.seal(key, ref.context_of(member_id, record_id), plaintext)).decode(),
    }


def leaf(index: int, content_digest: bytes) -> dict:
    return {
        "format": 1,
        "memberId": 7,
        "index": index,
        "kind": 0,
        "compartment": 63,
        "recordedDay": 20455,
        "patientId": hex0x(filler("patient")),
        "patientSeq": index,
        "ref": hex0x(bytes(32)),
        "contentDigest": hex0x(content_digest),
        "salt": hex0x(filler(f"salt {index}")),
    }


def capsules() -> None:
    seed, key, record_id = filler("member seed"), filler("content key"), filler("record id", 16)
    access = {"chainId": "31337", "accessLog": hex0x(filler("access log", 20)), "accessId": hex0x(filler("access"))}
    digest = filler("content digest")
    entry, cid = leaf(12, digest), ref.raw_cid(digest)
    page = '{"entries":[],"note":"\u00e9\u6c34"}'

    def envelope(label: str, leaf_digest: bytes, plaintext: bytes) -> dict:
        chain_id, log, access_id = 31337, filler("access log", 20), filler("access")
        info = ref.capsule_info(label, chain_id, log, access_id, leaf_digest)
        sealed = ref.SUITE.encrypt(plaintext, ref.public_key(ref.public_bytes(seed)), info)
        return {
            "format": 1,
            "accessId": hex0x(access_id),
            "leafHash": hex0x(leaf_digest),
            "keyEpoch": 3,
            "enc": b64url(sealed[: ref.ENC_LENGTH]),
            "ciphertext": b64url(sealed[ref.ENC_LENGTH :]),
        }

    plaintext = ref.capsule_plaintext(entry, record_id, key, cid)
    content = {
        "secretKey": hex0x(seed),
        "publicKey": hex0x(ref.public_bytes(seed)),
        **access,
        "leaf": entry,
        "recordId": hex0x(record_id),
        "contentKey": hex0x(key),
        "cid": cid_text(cid),
        "capsule": envelope("chartseal/capsule/v1", ref.leaf_hash(entry), plaintext),
        "indexPageJson": page,
        "indexPage": envelope("chartseal/index/v1", bytes(32), page.encode()),
    }
    write("capsule.json", OWN, content)


def receipt() -> None:
    """The third of three entries: its proof is the node over the first two."""
    first_index, body = 10, filler("sealed body", 999)
    digests = [filler("one"), filler("two"), hashlib.sha256(body).digest()]
    leaves = [leaf(first_index + i, digest) for i, digest in enumerate(digests)]
    hashes = [ref.leaf_hash(entry) for entry in leaves]
    node = hashlib.sha256(b"\1" + hashes[0] + hashes[1]).digest()
    root = hashlib.sha256(b"\1" + node + hashes[2]).digest()
    cids = [ref.raw_cid(digest) for digest in digests]
    manifest = b"\0\1" + (7).to_bytes(4, "big") + first_index.to_bytes(8, "big") + (3).to_bytes(4, "big")
    manifest += b"".join(h + bytes([len(c)]) + c for h, c in zip(hashes, cids, strict=True))
    content = {
        "body": base64.b64encode(body).decode(),
        "batchManifest": hex0x(manifest),
        "leafHashes": [hex0x(h) for h in hashes],
        "cids": [cid_text(c) for c in cids],
        "receipt": {
            "format": 1,
            "leaf": leaves[2],
            "proof": [hex0x(node)],
            "batch": {
                "memberId": 7,
                "firstIndex": first_index,
                "count": 3,
                "root": hex0x(root),
                "manifestDigest": hex0x(hashlib.sha256(manifest).digest()),
            },
            "anchor": {
                "chainId": 31337,
                "contract": hex0x(filler("registry", 20)),
                "blockNumber": 42,
                "blockHash": hex0x(filler("block")),
                "transactionHash": hex0x(filler("transaction")),
            },
            "cid": cid_text(cids[2]),
        },
    }
    write("receipt.json", OWN, content)


chunked_encryption()
x_wing()
records = [
    sealed_record("empty", b""),
    sealed_record("decimal", b'{"value": 1.00}\r\n', recordedAt="2019-05", author="Dr. V"),
    sealed_record("two-chunks", filler("body", 17_000), resourceType="Binary", encoding="gb18030"),
]
write("sealed-record.json", OWN, {"vectors": records})
capsules()
receipt()
