"""What the models of the other clients share. A model gets a job as JSON on standard input: the address, the account, the
user, the key, what to do ("do") and with what ("with"). It prints as JSON what it read of the reply, and what it can do at
all. It ends with an exception, and so with 1, where it cannot read the reply."""

import http.client
import json
import sys
import urllib.parse


def send(url, fields, method="POST"):
    """Sends fields urlencoded, or in the query; gives the status, the content type and the body."""
    address = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(address.netloc, timeout=60)
    form = urllib.parse.urlencode(fields)
    if method == "GET":
        connection.request("GET", f"{address.path}?{form}")
    else:
        content_type = {"Content-Type": "application/x-www-form-urlencoded"}
        connection.request("POST", address.path, form.encode(), content_type)
    response = connection.getresponse()
    return response.status, response.getheader("Content-Type") or "", response.read().decode("utf-8")


def run(known):
    """Does what the job says, with functions by name."""
    job = json.load(sys.stdin)
    read = known[job["do"]](job, job["with"])
    print(json.dumps({"read": read, "can": list(known)}))
