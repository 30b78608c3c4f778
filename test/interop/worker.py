# SPDX-License-Identifier: Apache-2.0
"""One operation of the reference implementation: a JSON request on standard input, base64 on standard output."""

import base64
import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "vectors"))
sys.dont_write_bytecode = True

import reference as ref  # noqa: E402

request = json.load(sys.stdin)
args = {name: base64.b64decode(value) for name, value in request["args"].items()}
operations = {
    "seal": lambda: ref.seal(args["key"], args["context"], args["data"]),
    "open": lambda: ref.open_sealed(args["key"], args["context"], args["data"]),
    "publicKey": lambda: ref.public_bytes(args["seed"]),
    "hpkeSeal": lambda: ref.SUITE.encrypt(args["data"], ref.public_key(args["publicKey"]), args["info"]),
    "hpkeOpen": lambda: ref.SUITE.decrypt(args["data"], ref.private_key(args["seed"]), args["info"]),
}
sys.stdout.write(base64.b64encode(operations[request["operation"]]()).decode())
