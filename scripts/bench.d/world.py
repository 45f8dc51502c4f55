"""The world of the loads: 100,000 customers, on one account or spread over several."""
import random
from copy import copy
from urllib.parse import quote_plus

CUSTOMERS = 100_000
CAMPAIGN = "1000000000000001"
OPENING = 1_000_000  # points that everybody starts with, so that no redemption fails
BIG = 100_000  # lines of the big POST
COLUMNS = ["campaign_id", "code", "redeemed", "amount", "date", "authorization", "promo_id"]


def code(number):
    """Sixteen digits that look drawn, each only once."""
    return "4638%012d" % (number * 829_321_711_751 % 10**12)


def card(number):
    """One customer in ten is known by a card."""
    return "6011%012d" % (number * 600_640_945_937 % 10**12) if number % 10 == 0 else None


class World:
    """Writes its files into a folder: world.toml for `punchcard apply`, customers.txt for post.lua, big.body."""

    def __init__(self, folder, accounts):
        self.accounts = accounts
        self.file, self.customers, self.big = (folder / (n % accounts) for n in ("world%d.toml", "customers%d.txt", "big%d.body"))
        with open(self.file, "w") as toml, open(self.customers, "w") as listed:
            for account in range(accounts):
                self._account(toml, listed, account)
        self.big.write_text(self.body(BIG))

    def _account(self, toml, listed, account):
        toml.write('[[account]]\nid = "shop%d"\nname = "Shop"\ncurrency = "USD"\ntimezone = "UTC"\n' % account)
        toml.write('[[account.user]]\nid = "till%d"\napi_key = "%s"\n' % (account, self.key(account)))
        toml.write('[[account.campaign]]\nid = "%s"\ntype = "points"\nname = "Points"\npoints_ratio = "1"\n' % CAMPAIGN)
        for number in self.numbers(account):
            names = 'first_name = "First%d"\nlast_name = "Last%d"\nemail = "c%d@example.com"\n' % ((number,) * 3)
            toml.write('[[account.customer]]\ncode = "%s"\n' % code(number) + names)
            if card(number):
                toml.write('card_number = "%s"\n' % card(number))
            toml.write('balances = [{ campaign = "%s", amount = "%d" }]\n' % (CAMPAIGN, OPENING))
            listed.write("shop%d till%d %s %s\n" % (account, account, self.key(account), self.known_by(number)))

    def others(self):
        """A listing without the first account, to whom the big POSTs go."""
        others = copy(self)
        others.customers = self.customers.with_name("others.txt")
        with open(self.customers) as listed, open(others.customers, "w") as kept:
            kept.writelines(line for line in listed if not line.startswith("shop0 "))
        return others

    def numbers(self, account):
        size = CUSTOMERS // self.accounts
        return range(account * size + 1, (account + 1) * size + 1)

    @staticmethod
    def key(account):
        return "c0ffee%024d" % account

    @staticmethod
    def known_by(number):
        return card(number) or code(number)

    def body(self, lines):
        """A POST of so many lines to the first account; one in ten redeems."""
        drawn = random.Random(15)
        customers = self.numbers(0)

        def line(nth):
            redeems = nth % 10 == 9
            amount = "%d" % drawn.randint(1, 50) if redeems else "%d.%02d" % (drawn.randint(1, 199), drawn.randint(0, 99))
            date = "2025-%02d-%02d" % (drawn.randint(1, 12), drawn.randint(1, 28))
            customer = self.known_by(drawn.choice(customers))
            return "|".join([CAMPAIGN, customer, "Y" if redeems else "N", amount, date, "receipt %d" % nth, ""])

        fields = {"API": "1.5", "account_id": "shop0", "user_id": "till0", "user_api_key": self.key(0),
                  "type": "batch_transactions", "delimiter": "pipe", "apply_ratio": "no"}
        fields.update({"visits_header_%d" % (nth + 1): name for nth, name in enumerate(COLUMNS)})
        fields["Visits_Data"] = "\n".join(map(line, range(lines)))
        return "&".join("%s=%s" % (name, quote_plus(value)) for name, value in fields.items())
