"""One call of PyPI's jukto, sent to the simulator at the level of the HTTP transport.

Arguments: the method, the payment and what else it takes as JSON. The client itself is untouched, down to its URLs and its checks of
what comes back.
"""
import dataclasses
import json
import os
import sys
from decimal import Decimal

import httpx
from jukto.payments import PaymentCustomer, PaymentReference, PaymentRequest, PaymentURLs, RefundRequest
from jukto.providers.payments.sslcommerz import SSLCommerzClient

HOST = "https://sandbox.sslcommerz.com"


class ToSimulator(httpx.HTTPTransport):
    def handle_request(self, request):
        assert str(request.url).startswith(HOST + "/")
        target = httpx.URL(os.environ["SIMULATOR_URL"] + request.url.raw_path.decode())
        request.url = target
        request.headers["host"] = target.netloc.decode()
        return super().handle_request(request)


def arguments(call, payment):
    if call["method"] == "initiate":
        urls = PaymentURLs(**{kind: f"https://shop.example/{kind}" for kind in ("success", "failure", "cancel", "ipn")})
        customer = PaymentCustomer("Jane", "jane@example.com", "01711111111", "House 1", "Dhaka", "1205", "Bangladesh")
        return [PaymentRequest(payment, customer, urls, "A book", "books")]
    if call["method"] == "refund":
        return [RefundRequest(payment, call["bank"], call["refund"], Decimal(call["amount"]), "Out of stock")]
    if call["method"] == "query_refund":
        return call["arguments"]
    return [*call["arguments"], payment]


call = json.loads(sys.argv[1])
payment = PaymentReference(call["payment"], Decimal("100.00"), "BDT")
transport = httpx.Client(transport=ToSimulator(), trust_env=False)
client = SSLCommerzClient("lenden_test", "lenden_test@ssl", http_client=transport)
result = getattr(client, call["method"])(*arguments(call, payment))
print(json.dumps(dataclasses.asdict(result), default=str))
