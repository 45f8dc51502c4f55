"""C7, a C# module: urlencoded, JSON. Nothing but the status 200 is an answer to it; of whatever is no success it reads
`errors` without a look whether it is there. It reads typed lists, and numbers of texts."""

import json
from decimal import Decimal

from common import run, send

TOO_FEW = "The reward level selected exceeds the points available"


class Refused(Exception):
    pass


def ask(job, call, fields):
    common = {"user_id": job["user"], "user_password": job["key"], "account_id": job["account"], "output": "JSON"}
    status, _, body = send(job["url"], {**common, "type": call, **fields})
    if status != 200:
        raise RuntimeError(f"the service answers {status}")
    reply = json.loads(body)
    if reply["status"] != "success":
        raise Refused(reply["errors"][0])
    return reply


def rows(reply, name):
    """A typed list: what is no list, or holds no objects, cannot be read into it."""
    found = reply[name]
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise TypeError(f"{name} is no list of objects")
    return found


def create(job, fields):
    return ask(job, "record_customer", {"customer_action": "new", **fields})["customer"]["code"]


def points(job, fields):
    found = rows(ask(job, "customer_info", fields), "campaigns")
    return {one["id"]: str(Decimal(one["balance"]) + 0) for one in found}


def campaigns(job, fields):
    return [one["id"] for one in rows(ask(job, "campaigns_list", fields), "campaigns")]


def rewards(job, fields):
    found = rows(ask(job, "campaign_rewards", fields), "rewards")
    return [[one["id"], int(Decimal(one["level"])), one["description"]] for one in found]


def redeem(job, fields):
    try:
        ask(job, "redeem", fields)
    except Refused as refused:
        return "too few" if str(refused).startswith(TOO_FEW) else str(refused)
    return "done"


run({"create": create, "points": points, "campaigns": campaigns, "rewards": rewards, "redeem": redeem})
