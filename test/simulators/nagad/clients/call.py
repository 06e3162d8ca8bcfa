"""One call of the published Python client, which takes its base URL as an argument and is otherwise untouched.

Arguments: `pay` with the client's settings, the amount and the invoice number, or `verify` with the base URL and the reference; as JSON.
"""
import json
import sys

from nagadpy import NagadPayment, NagadPaymentVerify

call = json.loads(sys.argv[1])
if call["method"] == "pay":
    client = NagadPayment(**call["settings"])
    answer = client.checkout_process(amount=call["amount"], invoice_number=call["invoice"])
else:
    answer = NagadPaymentVerify(base_url=call["settings"]["base_url"]).verify_payment(call["reference"])
print(json.dumps(answer))
