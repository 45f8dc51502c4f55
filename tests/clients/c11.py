"""C11, a page with jQuery: everything in the query of a GET to /api.php, from another origin, as JSONP. What comes is run as a
script: it must be one, and call the function that was named."""

import json
import re

from common import run, send


def jsonp(job, fields):
    name = "jQuery1113000487_1416600000000"
    common = {"callback": name, "user_id": job["user"], "user_api_key": job["key"], "account_id": job["account"]}
    status, content_type, body = send(job["url"], {**common, **fields, "_": "1416600000001"}, "GET")
    # A browser runs no script of an error page, nor of another type.
    if status != 200 or not re.match(r"(application|text)/javascript\b", content_type):
        raise RuntimeError(f"{status} {content_type} is no script")
    called = re.fullmatch(r"(?:/\*\*/)?\s*" + name + r"\((.*)\)\s*;?\s*", body, re.DOTALL)
    if called is None:
        raise RuntimeError(f"no call: {body}")
    return json.loads(called[1])


def create(job, fields):
    return jsonp(job, {"type": "record_customer", "customer_action": "new", **fields})["status"]


def exists(job, fields):
    return jsonp(job, {"type": "customer_search", "exact_match": "insensitive", **fields})["status"]


run({"create": create, "exists": exists})
