"""Hooks for schemathesis: they count what each check really judged, and send every request from its own address.

A check runs on every response, but most checks judge only some of them: `use_after_free` says nothing before something
was deleted. That a check ran therefore proves nothing, so this file has the condition under which each check judges. A
check without a condition, such as a new one of a later schemathesis, ends the run, because it has not been reviewed.
"""

import atexit
import itertools
import json
import os
import sys
import threading
from collections import Counter

import requests.adapters
import schemathesis
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.generation.meta import CoveragePhaseData, CoverageScenario, FuzzingPhaseData
from schemathesis.specs.openapi import checks as rules
from schemathesis.specs.openapi import object_authorization

sys.path.insert(0, os.path.dirname(__file__))
import adding_up  # noqa: E402
import contracts  # noqa: E402
import existing  # noqa: E402

load_all_checks()

lock = threading.Lock()
ran = Counter()
judged = Counter()
cases = Counter()
statuses = Counter()
addresses = itertools.count(1)
keys = itertools.count(1)
sessions = os.environ.get("LENDEN_FUZZ_SESSIONS", "").split()
subject = os.environ["LENDEN_FUZZ_SUBJECT"]
KEY_HEADERS = ("Idempotency-Key", "X-Idempotency-Key")


@schemathesis.hook
def before_call(context, case, kwargs):
    plain = with_plain_integers(case.body)
    if plain is not case.body:
        case.body = plain
    if case.meta is not None and not is_negative(case):
        beyond_the_schema(case)
    if subject == "shadhinpay" and case.meta is not None and varies_another(case, "merchantTxnId"):
        contracts.with_a_new_reference(case)
    for header in KEY_HEADERS:
        if meets_a_used_key(case, header):
            case.headers[header] = f"fuzz-{next(keys)}"


INVOICES = {
    "POST /invoices": adding_up.an_invoice,
    "PUT /invoices/{id}": adding_up.an_invoice,
    "PUT /invoices/{id}/due-dates": adding_up.due_dates,
}
CONTRACTS = ("ownpay", "shadhinpay")
# The minimum amount of a payment, so no open invoice asks for less.
PAYMENT_MINOR_MIN = 1_000
STRIPE_MINOR_MIN = 10_000
drafts = itertools.cycle([True, False])
cursors = {}
# Drafts that can be deleted, and links that can be opened, each used once, because the generator finds one only by chance.
MADE_BEFORE = {"DELETE /invoices/{id}": "id", "GET /pay/{reference}": "reference"}
made = {label: [] for label in MADE_BEFORE}
turns = itertools.cycle([True, False])


def beyond_the_schema(case):
    """Fixes what a schema allows but no server can accept: wrong sums, a logo that cannot be fetched, a cursor that was never issued."""
    label, body = case.operation.label, case.body
    if subject in CONTRACTS:
        if label in contracts.MADE_TO_FIT and isinstance(body, dict):
            contracts.MADE_TO_FIT[label](case)
        return
    if isinstance(case.meta.phase.data, FuzzingPhaseData) and made.get(label) and next(turns):
        case.path_parameters = {MADE_BEFORE[label]: made[label].pop()}
    if subject == "operators":
        existing.refer(case)
    if label in INVOICES and isinstance(body, dict):
        case.body = INVOICES[label](body)
    if label == "POST /invoices" and isinstance(body, dict) and "issue" not in body:
        # Only drafts can be edited and deleted, so half of the new invoices are drafts.
        case.body["issue"] = not next(drafts)
    if label == "PUT /invoices/template" and isinstance(body, dict) and isinstance(body.get("logoUrl"), str):
        case.body = {**body, "logoUrl": os.environ["LENDEN_FUZZ_LOGO"]}
    if label == "POST /payments" and isinstance(body, dict) and "invoiceId" in body:
        case.body = {**body, "amountMinor": PAYMENT_MINOR_MIN}
    if label == "POST /payments" and isinstance(body, dict) and case.body.get("gateways") == ["stripe"]:
        if "invoiceId" in body:
            case.body = {**case.body, "gateways": ["sslcommerz"]}
        else:
            case.body = {**case.body, "amountMinor": max(body["amountMinor"], STRIPE_MINOR_MIN)}
    if label == "GET /invoices" and "cursor" in (case.query or {}):
        known = cursors.get(label)
        case.query = {name: value for name, value in case.query.items() if name != "cursor"}
        if known is not None:
            case.query["cursor"] = known


@schemathesis.hook
def after_call(context, case, response):
    refunds = subject in CONTRACTS and case.operation.label in contracts.REFUNDS
    if refunds and response.status_code in (201, 202) and response.request.method == "POST":
        contracts.note_refund(response)
    if response.request.method == "POST" and succeeded(response):
        note_made(case.operation.label, response)
    if case.operation.label == "GET /invoices" and response.status_code == 200:
        given = (response.json().get("pagination") or {}).get("nextCursor")
        if given is not None:
            cursors[case.operation.label] = given


def note_made(label, response):
    if subject != "applications":
        return
    if label == "POST /invoices" and response.json()["data"]["status"] == "DRAFT":
        made["DELETE /invoices/{id}"].append(response.json()["data"]["id"])
    if label == "POST /invoices/{id}/payable-link":
        made["GET /pay/{reference}"].append(response.json()["data"]["reference"])


def meets_a_used_key(case, header):
    """Returns whether a request comes under an idempotency key that was used before, and needs a new one.

    The coverage phase varies one member at a time under one key, so all but the first body would be conflicts. In OwnPay's contract a conflict is
    a 400, so a valid request under a key that the generator used before would look like a refused one.
    """
    if header not in (case.headers or {}) or case.meta is None:
        return False
    if isinstance(case.meta.phase.data, CoveragePhaseData):
        return varies_another(case, header)
    return subject == "ownpay" and not is_negative(case)


def varies_another(case, name):
    data = case.meta.phase.data
    return isinstance(data, CoveragePhaseData) and data.parameter != name


def with_plain_integers(value):
    """Writes 10000.0 as 10000. JSON Schema accepts 10000.0 as an integer; the strict parser does not (docs/errors.md), which a schema cannot say."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, list):
        items = [with_plain_integers(item) for item in value]
        return value if all(a is b for a, b in zip(items, value)) else items
    if isinstance(value, dict):
        members = {name: with_plain_integers(member) for name, member in value.items()}
        return value if all(members[name] is member for name, member in value.items()) else members
    return value


send_request = requests.adapters.HTTPAdapter.send


def send_from_elsewhere(adapter, request, **options):
    """Sends each request from another address, given in X-Forwarded-For, and with the operators' sessions in turn: rate limits are not under test."""
    number = next(addresses)
    request.headers["X-Forwarded-For"] = f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
    if sessions and request.headers.get("Authorization") == f"Bearer {sessions[0]}":
        request.headers["Authorization"] = f"Bearer {sessions[number % len(sessions)]}"
    return send_request(adapter, request, **options)


requests.adapters.HTTPAdapter.send = send_from_elsewhere


def succeeded(response):
    return 200 <= response.status_code < 300


def scenario(case):
    meta = case.meta
    return None if meta is None else getattr(meta.phase.data, "scenario", None)


def is_negative(case):
    return case.meta is not None and case.meta.generation.mode.is_negative


def missing_header(case):
    data = case.meta.phase.data if case.meta is not None else None
    location = getattr(data, "parameter_location", None)
    return scenario(case) == CoverageScenario.MISSING_PARAMETER and getattr(location, "name", "") == "HEADER"


def follows_a_deletion(ctx, case):
    for related in ctx.internals.find_related(case_id=case.id):
        answer = ctx.internals.find_response(case_id=related.id)
        if related.method.upper() == "DELETE" and answer is not None and succeeded(answer):
            return True
    return False


def follows_its_creation(ctx, case):
    parent = ctx.internals.find_parent(case_id=case.id)
    answer = None if parent is None else ctx.internals.find_response(case_id=parent.id)
    if parent is None or answer is None or parent.method.upper() != "POST" or not succeeded(answer):
        return False
    if not rules._is_prefix_operation(path_of(parent), path_of(case)):
        return False
    return all(
        parameter.name in getattr(case._override, parameter.location.container_name, {})
        for parameter in case.operation.iter_parameters()
    )


def path_of(case):
    return rules.ResourcePath(case.path, case.path_parameters or {})


def documented(response, case):
    return case.operation.responses.find_by_status_code(response.status_code)


# Checks that send their own requests; those requests are counted below.
BY_PROBES = {"ignored_auth", "object_level_authorization"}
CONDITIONS = {
    "not_a_server_error": lambda ctx, response, case: True,
    "max_response_time": lambda ctx, response, case: True,
    "status_code_conformance": lambda ctx, response, case: not rules.is_unexpected_http_status_case(case),
    "content_type_conformance": lambda ctx, response, case: documented(response, case) is not None,
    "response_headers_conformance": lambda ctx, response, case: documented(response, case) is not None,
    "response_schema_conformance": lambda ctx, response, case: documented(response, case) is not None,
    "negative_data_rejection": lambda ctx, response, case: is_negative(case)
    and not rules.is_unexpected_http_status_case(case),
    "positive_data_acceptance": lambda ctx, response, case: case.meta is not None
    and not is_negative(case)
    and not rules.is_unexpected_http_status_case(case),
    "missing_required_header": lambda ctx, response, case: missing_header(case),
    "unsupported_method": lambda ctx, response, case: scenario(case) == CoverageScenario.UNSPECIFIED_HTTP_METHOD
    and response.request.method != "OPTIONS",
    "allow_header_conformance": lambda ctx, response, case: response.request.method == "OPTIONS"
    and bool(response.headers.get("allow")),
    "use_after_free": lambda ctx, response, case: follows_a_deletion(ctx, case),
    "ensure_resource_availability": lambda ctx, response, case: follows_its_creation(ctx, case),
}


def counted(check):
    name = check.__name__
    condition = CONDITIONS.get(name)
    if condition is None and name not in BY_PROBES:
        raise RuntimeError(f"nobody has said when the check {name} judges anything")

    def run(ctx, response, case):
        judges = condition is not None and condition(ctx, response, case)
        with lock:
            ran[name] += 1
            judged[name] += 1 if judges else 0
            if name == "not_a_server_error":
                phase = ctx.phase.value if ctx.phase is not None else "none"
                mode = "negative" if is_negative(case) else "positive"
                cases[(case.operation.label, phase, mode)] += 1
                # Requests with undocumented methods say nothing about the operation.
                if response.request.method == case.operation.method.upper():
                    statuses[(case.operation.label, str(response.status_code))] += 1
        return check(ctx, response, case)

    run.__name__ = name
    return run


for check in CHECKS.get_all():
    CHECKS.register(counted(check))
# Not in the registry, because it needs a limit.
schemathesis.checks.max_response_time = counted(schemathesis.checks.max_response_time)


def count_probes(module, name):
    send = module.send_probe

    def send_probe(*arguments):
        with lock:
            judged[name] += 1
        return send(*arguments)

    module.send_probe = send_probe


count_probes(rules, "ignored_auth")
count_probes(object_authorization, "object_level_authorization")


@atexit.register
def write():
    found = {
        "checks": {name: {"ran": ran[name], "judged": judged[name]} for name in [*CONDITIONS, *sorted(BY_PROBES)]},
        "cases": [
            {"operation": operation, "phase": phase, "mode": mode, "count": count}
            for (operation, phase, mode), count in sorted(cases.items())
        ],
        "statuses": [
            {"operation": operation, "status": int(status), "count": count}
            for (operation, status), count in sorted(statuses.items())
        ],
    }
    with open(os.environ["LENDEN_FUZZ_COUNTS"], "w", encoding="utf-8") as file:
        json.dump(found, file)
