"""C10, a chatbot in Python: urlencoded, JSON, an exception for whatever is not 2xx. `customers` is there to it also where
nobody was found."""

import json

from common import run, send


def search(job, fields):
    common = {"user_id": job["user"], "user_password": job["key"], "account_id": job["account"], "output": "JSON"}
    more = {"type": "customer_search", "include_balances": "Y", "campaign_id": "", "customer_password": ""}
    status, _, body = send(job["url"], {**common, **more, **fields})
    if status >= 400:
        raise RuntimeError(f"{status}: {body}")
    return json.loads(body)["customers"]


def card(job, fields):
    found = search(job, fields)
    if len(found) == 0:
        return "Nobody has this number"
    return found[0]["card_number"]


def balance(job, fields):
    return [one["balance"] for one in search(job, fields)[0]["campaigns"]]


run({"card": card, "balance": balance})
