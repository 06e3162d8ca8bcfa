"""Lets every second request of an operator refer to what exists: a schema describes a reference, and not which ones were given out."""

import itertools
import json
import os

known = {path: itertools.cycle(references) for path, references in json.loads(os.environ["LENDEN_FUZZ_KNOWN"]).items()}
turns = {}


def refer(case):
    if not next(turns.setdefault(case.operation.label, itertools.cycle([True, False]))):
        return
    references = references_for(case.operation.path)
    if references is not None:
        case.path_parameters = {**case.path_parameters, "reference": next(references)}
    if case.operation.label in MADE_TO_FIT:
        MADE_TO_FIT[case.operation.label](case)


def references_for(path):
    beginnings = [beginning for beginning in known if path.startswith(beginning)]
    return known[max(beginnings, key=len)] if beginnings else None


def an_upload(case):
    """Describes the file as one that a saved mapping reads. Its bytes stay as they were generated."""
    case.query = {
        "mode": "LIVE",
        "kind": "lines",
        "format": "csv",
        "gateway": "sslcommerz",
        "storeId": "lenden_live",
        "name": case.query["name"],
    }


def to_the_caller(case):
    case.body = {}


def acceptance(case):
    """A case of a line that nobody knows can be accepted; other actions need more than a schema says."""
    if isinstance(case.body, dict) and case.body.get("action") != "query-gateway":
        case.body = {"action": "accept", "reason": case.body["reason"]}


MADE_TO_FIT = {
    "POST /admin/payout-files": an_upload,
    "POST /admin/reconciliation/cases/{reference}/assign": to_the_caller,
    "POST /admin/reconciliation/cases/{reference}/actions": acceptance,
}
