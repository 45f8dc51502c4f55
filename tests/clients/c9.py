"""C9, an Android application: constants for the names of types and fields, a DOM parser. One token is both the password and
the key. It shows the first `error` there is."""

import xml.dom.minidom

from common import run, send

KEY = "user_api_key"
PASSWORD = "user_password"


def ask(job, call, fields):
    common = {"user_id": job["user"], PASSWORD: job["key"], KEY: job["key"], "account_id": job["account"]}
    _, _, body = send(job["url"], {**common, "type": call, **fields})
    root = xml.dom.minidom.parseString(body.encode()).documentElement
    if root.tagName != "response":
        raise ValueError(f"the root is {root.tagName}")
    return root


def texts(root, name):
    if root.getAttribute("status") == "error":
        return root.getElementsByTagName("error")[0].firstChild.data
    return [one.firstChild.data if one.firstChild else "" for one in root.getElementsByTagName(name)]


def names(call):
    return lambda job, fields: texts(ask(job, call, fields), "name")


def customer(job, fields):
    return texts(ask(job, "customer_info", {"include_balances": "N", **fields}), "first_name")


def rewards(job, fields):
    return texts(ask(job, "campaign_rewards", fields), "level")


def card(job, fields):
    return len(texts(ask(job, "generate_card_number", fields), "card_number")[0])


run({"campaigns": names("campaigns_list"), "closed": names("campaigns_inactive_list"), "customer": customer,
     "rewards": rewards, "card": card})
