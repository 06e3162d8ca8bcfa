"""One call of the official Python client, sent to the simulator at the level of the HTTP adapter.

Arguments: the method and its positional arguments as JSON. The client itself is untouched, down to its URLs.
"""
import json
import os
import sys

import requests.adapters
from sslcommerz_lib import SSLCOMMERZ

hosts = ("https://sandbox.sslcommerz.com", "https://securepay.sslcommerz.com")
send = requests.adapters.HTTPAdapter.send


def send_to_simulator(self, request, **options):
    host = next(host for host in hosts if request.url.startswith(host + "/"))
    request.url = os.environ["SIMULATOR_URL"] + request.url[len(host):]
    options["proxies"] = {}
    return send(self, request, **options)


requests.adapters.HTTPAdapter.send = send_to_simulator

call = json.loads(sys.argv[1])
client = SSLCOMMERZ({"store_id": "lenden_test", "store_pass": "lenden_test@ssl", "issandbox": True})
print(json.dumps(getattr(client, call["method"])(*call["arguments"])))
