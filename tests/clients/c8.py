"""C8, a Java application with typed models of every reply: each value a text, each list a list, `errors` a list of texts. It
asks for `json` in small letters, says `API=1.6`, and sends two fields under names of its own language."""

import json

from common import run, send


def bind(value, model, path="reply"):
    """Reads a value into a model: str, [model] or {name: model}. What is not there stays null; what has no place in the
    model is passed over; what is of another type cannot be bound."""
    if model is str:
        if not isinstance(value, str):
            raise TypeError(f"{path}: {value!r} is no text")
        return value
    if isinstance(model, list):
        if not isinstance(value, list):
            raise TypeError(f"{path}: {value!r} is no list")
        return [bind(one, model[0], f"{path}[{at}]") for at, one in enumerate(value)]
    if not isinstance(value, dict):
        raise TypeError(f"{path}: {value!r} is no object")
    return {name: bind(value[name], of, f"{path}.{name}") if name in value else None for name, of in model.items()}


CAMPAIGN = dict.fromkeys(
    ["id", "name", "description", "type", "balance", "cumulative", "currency", "glyph", "first_transaction",
     "last_transaction", "in_coalition", "created_stamp", "reward_ratio", "points_ratio"], str)
CAMPAIGN["available_rewards"] = [{"id": str, "level": str, "description": str}]
CAMPAIGN["balances"] = [{"id": str, "description": str, "balance": str}]
CUSTOMER = dict.fromkeys(
    ["code", "card_number", "first_name", "last_name", "phone", "email", "street1", "street2", "city", "state",
     "postal_code", "country", "custom_date", "custom_field", "customer_username", "registered"], str)
ROOT = {"status": str, "errors": [str]}
RECEIPT = {
    "account_name": str,
    "agency": {"name": str, "email": str},
    "campaign": {"id": str, "name": str, "type": str},
    "customer": {"code": str, "card_number": str, "balance": {"points": str}},
    "transaction": {"id": str, "date": str, "amount": str, "authorization": str,
                    "purchase": {"amount": str, "currency": str, "glyph": str}, "promotion": {"id": str, "amount": str}},
}
FIELD = {"name": str, "label": str, "show": str, "required": str, "type": str, "choices": [str]}


def ask(job, call, model, fields):
    common = {"API": "1.6", "user_id": job["user"], "user_api_key": job["key"], "account_id": job["account"],
              "output": "json"}
    status, _, body = send(job["url"], {**common, "type": call, **fields})
    if not 200 <= status < 300:
        raise RuntimeError(f"the service answers {status}: {body}")
    reply = bind(json.loads(body), {**ROOT, **model})
    if reply["status"] == "error":
        # The first of them, whether or not there is one.
        return {"refused": reply["errors"][0]}
    return reply


def campaigns(job, fields):
    reply = ask(job, "campaigns_list", {"campaigns": [CAMPAIGN], "pagination": {"total": str, "offset": str}}, fields)
    return [reply["pagination"]["total"], [one["name"] for one in reply["campaigns"]]]


def create(job, fields):
    model = {"customer": CUSTOMER, "code": str, "account_name": str}
    reply = ask(job, "record_customer", model, {"customer_action": "new", **fields})
    return reply.get("refused") or [reply["code"], reply["customer"]["code"], reply["account_name"]]


def info(job, fields):
    reply = ask(job, "customer_info", {"customer": CUSTOMER, "campaigns": [CAMPAIGN]}, fields)
    return {one["id"]: [one["balance"], one["cumulative"]] for one in reply["campaigns"]}


def activity(job, fields):
    # Named as its own language has it.
    more = {"serviceProduct": "", "campaignId": fields["campaign_id"]}
    receipt = ask(job, "record_activity", {"receipt": RECEIPT}, {**more, **fields})["receipt"]
    return [receipt["transaction"]["amount"], receipt["transaction"]["purchase"]["glyph"],
            receipt["customer"]["balance"]["points"]]


def batch(job, fields):
    headers = {f"visits_header_{at}": name for at, name in enumerate(["campaign_id", "code", "redeemed", "amount"], 1)}
    model = {"batch": {"status": str, "new_customers": str, "transactions": str}}
    more = {"delimiter": "pipe", "apply_ratio": "no", "allow-undo": "yes"}
    reply = ask(job, "batch_transactions", model, {**more, **headers, "Visits_Data": fields["lines"]})
    return [reply["batch"]["status"], reply["batch"]["transactions"]]


def fields_list(job, fields):
    reply = ask(job, "manage_fields", {"account": {"account_id": str, "fields": [FIELD]}}, {"action": "list", **fields})
    return [[one["label"], one["choices"]] for one in reply["account"]["fields"]]


def users(job, fields):
    reply = ask(job, "users_list", {"users": [{"user_id": str}]}, fields)
    return len(reply["users"])


def visible(job, fields):
    model = {"campaign": {"id": str}, "users_added": str, "users_removed": str, "message": str}
    reply = ask(job, "campaign_users", model, fields)
    return [reply["users_added"], reply["users_removed"], reply["message"]]


def token(job, fields):
    token = ask(job, "generate_time_token", {"token": str}, fields)["token"]
    return ask(job, "validate_time_token", {}, {"token": token})["status"]


run({"campaigns": campaigns, "create": create, "info": info, "activity": activity, "batch": batch,
     "fields": fields_list, "users": users, "visible": visible, "token": token})
