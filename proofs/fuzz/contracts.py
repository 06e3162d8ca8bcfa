"""Turns bodies that the schemas of OwnPay's and ShadhinPay's contracts allow into requests that the API accepts.

A schema cannot say which gateways exist, the limits of an amount, which payment was paid and how much of it can still be refunded, or what time it
is. As in `adding_up`, a generated body is changed just enough to be accepted.
"""

import itertools
import json
import os
from datetime import UTC, datetime, timedelta
from decimal import Decimal

GATEWAYS = itertools.cycle(["sslcommerz", "bkash", None, "nagad", "stripe"])
LEAST = Decimal(100)
GREATEST = Decimal(20_000)
# Small enough that a paid payment is not used up in a long run.
PART_GREATEST = Decimal(1)
HUNDREDTH = Decimal("0.01")
# Part of the 64 KiB that a body may have.
ITEMS_BYTES_MAX = 40_000

paid = os.environ.get("LENDEN_FUZZ_PAID", "").split()
# A refund without an amount takes everything that is left, so each of these is refunded only once.
whole = paid[: len(paid) // 2]
in_parts = paid[len(paid) // 2 :]
numbers = itertools.count(1)


def an_intent(case):
    """Creates a payment under OwnPay's contract. Every fifth request keeps its generated gateway, which does not exist."""
    body = {**case.body, "currency": "BDT", "amount": float(between(case.body["amount"], LEAST, GREATEST))}
    gateway = next(GATEWAYS)
    case.body = body if gateway is None else {**body, "gateway": gateway}


def an_ownpay_refund(case):
    reference, amount = what_to_refund(case.body.get("amount"))
    names = [name for name in ("transaction_id", "trx_id") if case.body.get(name) is not None] or ["transaction_id"]
    case.body = {**case.body, **dict.fromkeys(names, reference)}
    if amount is not None:
        case.body["amount"] = float(amount)


def a_shadhinpay_payment(case):
    body = {**case.body, "amount": str(between(case.body["amount"], LEAST, GREATEST))}
    if body.get("isSandbox") is False:
        body["isSandbox"] = True
    case.body = body


def a_shadhinpay_refund(case):
    reference, amount = what_to_refund(case.body.get("amount"))
    case.path_parameters = {**case.path_parameters, "paymentId": reference}
    if amount is not None:
        case.body = {**case.body, "amount": str(amount)}


def a_shadhinpay_invoice(case):
    """Makes the items add up and the dates lie in the future, which a schema cannot require."""
    items = [{**item, "quantity": 1, "unitPrice": "20.00"} for item in case.body["items"]]
    while len(json.dumps(items).encode()) > ITEMS_BYTES_MAX:
        items = items[: len(items) // 2]
    body = {**case.body, "items": items}
    for name in ("discount", "tax"):
        if body.get(name) is not None:
            body[name] = str(between(body[name], HUNDREDTH, PART_GREATEST))
    if body.get("expiresAt") is not None:
        body["expiresAt"] = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    case.body = body


def with_a_new_reference(case):
    """Gives each request its own merchantTxnId: the coverage phase varies one member at a time, and an id belongs to one payment."""
    if isinstance(case.body, dict) and isinstance(case.body.get("merchantTxnId"), str) and case.body["merchantTxnId"]:
        case.body = {**case.body, "merchantTxnId": f"fuzz-{next(numbers)}"}


def what_to_refund(given):
    if given is None and whole:
        return whole.pop(), None
    # Takes the payments in turn. The last one stays in the list even if it is fully refunded.
    in_parts.append(in_parts.pop(0))
    return in_parts[-1], between(0 if given is None else given, HUNDREDTH, PART_GREATEST)


def note_refund(response):
    """Removes a payment that was refunded in full, so that it is not used again. Requests of the generator itself can refund one in full, too."""
    refund = response.json()
    refund = refund.get("data", refund)
    reference = refund.get("paymentId", refund.get("transaction_id"))
    if Decimal(str(refund["amount"])) > PART_GREATEST:
        for known in (whole, in_parts):
            if reference in known and (known is whole or len(known) > 1):
                known.remove(reference)


def between(given, least, greatest):
    # Converts through text to keep the exact digits, then rounds, because more decimals than the currency has are refused.
    return max(least, min(greatest, Decimal(str(given)))).quantize(HUNDREDTH)


REFUNDS = {"POST /refunds", "POST /payments/{paymentId}/refunds"}
MADE_TO_FIT = {
    "POST /payment-intents": an_intent,
    "POST /refunds": an_ownpay_refund,
    "POST /payments": a_shadhinpay_payment,
    "POST /payments/{paymentId}/refunds": a_shadhinpay_refund,
    "POST /invoices": a_shadhinpay_invoice,
}
