"""Checks a webhook as a receiver in Python would, with nothing but the standard library.

Reads {"secret", "headers", "body"} from stdin, header names in lower case. Prints what it found, as JSON.
"""

import base64
import hashlib
import hmac
import json
import sys

request = json.load(sys.stdin)
secret = request["secret"].encode()
headers = request["headers"]
body = request["body"].encode()
read = json.loads(body)

vendor = hmac.new(secret, f"{read['timestamp']}{read['token']}".encode(), hashlib.sha256).hexdigest()

signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
standard = base64.b64encode(hmac.new(secret, signed, hashlib.sha256).digest()).decode()
versions = [pair.split(",", 1) for pair in headers["webhook-signature"].split(" ")]

print(json.dumps({
    "vendor": hmac.compare_digest(vendor, headers["authorization"]),
    "standard": any(v == "v1" and hmac.compare_digest(standard, s) for v, s in versions),
    "timestamp": str(read["timestamp"]) == headers["webhook-timestamp"],
    "token": len(read["token"]) == 50 and read["token"].isalnum(),
}))
