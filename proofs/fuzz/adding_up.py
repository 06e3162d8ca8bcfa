"""Turns a body that the schema of an invoice allows into one that the API accepts.

A schema cannot say that installments add up to the total, that dates are in order, or that only one of three kinds of due date is given. So the
generated body is changed just enough to be accepted. The sums are computed here, independently of the code under test.
"""

import copy
import datetime
import json

# LEAST is the minimum sum of the lines, so that any discount leaves enough for 120 parts. GREATEST is the maximum of one line, so that 500 lines
# with 20 taxes still fit.
LEAST = 10_000_000
GREATEST = 100_000_000_000
BODY_BYTES_MAX = 60_000
WHOLE = 10_000


def an_invoice(given):
    body = copy.deepcopy(given)
    while len(json.dumps(body).encode()) > BODY_BYTES_MAX and len(body["lineItems"]) > 1:
        body["lineItems"] = body["lineItems"][: len(body["lineItems"]) // 2]
    for index, line in enumerate(body["lineItems"]):
        unit = min(line["unitAmountMinor"], GREATEST // line["qty"])
        line["unitAmountMinor"] = max(unit, -(-LEAST // line["qty"])) if index == 0 else unit
        line_total = line["qty"] * line["unitAmountMinor"]
        take_off(line, line_total // 2 if index == 0 else line_total, WHOLE // 2 if index == 0 else WHOLE)
    take_off(body, LEAST // 4, WHOLE // 2)
    return due(body, total_of(body))


def due_dates(given):
    """For an invoice whose total is not known here: installments are given as shares."""
    return due(copy.deepcopy(given), None)


def take_off(holder, amount_max, share_max):
    discount = holder.get("discount")
    if discount is None:
        return
    if "basisPoints" in discount:
        discount["basisPoints"] = min(discount["basisPoints"], share_max)
    elif amount_max == 0:
        del holder["discount"]
    else:
        discount["amountMinor"] = min(discount["amountMinor"], amount_max)


def total_of(body):
    rounding = body.get("rounding", "HALF_UP")
    left = tax = 0
    for line in body["lineItems"]:
        line_total = line["qty"] * line["unitAmountMinor"]
        taxable = line_total - taken(line_total, line.get("discount"), rounding)
        tax += sum(share(taxable, each["basisPoints"], rounding) for each in line.get("taxes", []))
        left += taxable
    left -= taken(left, body.get("discount"), rounding)
    return left + tax + sum(share(left, each["basisPoints"], rounding) for each in body.get("taxes", []))


def taken(amount, discount, rounding):
    if discount is None:
        return 0
    return discount["amountMinor"] if "amountMinor" in discount else share(amount, discount["basisPoints"], rounding)


def share(amount, basis_points, rounding):
    whole, rest = divmod(amount * basis_points, WHOLE)
    if rounding == "UP":
        return whole + (rest > 0)
    if rounding == "HALF_UP":
        return whole + (2 * rest >= WHOLE)
    if rounding == "HALF_EVEN":
        return whole + (2 * rest > WHOLE or (2 * rest == WHOLE and whole % 2 == 1))
    return whole


def due(body, total):
    ways = [way for way in ("dueDate", "installments", "plan") if way in body]
    # Computed before the loop, because every deletion changes the body's length.
    chosen = ways[len(json.dumps(body)) % len(ways)] if ways else None
    for way in ways:
        if way != chosen:
            del body[way]
    if "dueDate" in body:
        body["dueDate"] = a_day(body["dueDate"])
    if "plan" in body:
        body["plan"]["firstDueDate"] = min(a_day(body["plan"]["firstDueDate"]), "9000-01-01")
    if "installments" in body:
        body["installments"] = parts(body["installments"], total)
    return body


def a_day(text):
    try:
        return datetime.date.fromisoformat(text).isoformat()
    except ValueError:
        return "2030-01-31"


def parts(given, total):
    days = sorted({a_day(part["dueDate"]) for part in given})
    member = "amountMinor" if total is not None and "amountMinor" in given[0] else "basisPoints"
    whole = total if member == "amountMinor" else WHOLE
    most = whole // len(days)
    amounts = [min(part.get(member, most), most) for part in given][: len(days) - 1]
    amounts.append(whole - sum(amounts))
    return [{"dueDate": day, member: amount} for day, amount in zip(days, amounts)]
