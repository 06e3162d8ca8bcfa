"""One call of the Python client: method and keyword arguments as JSON on the command line, the answer on standard output.

Every call but the grant is given a token; the client takes its base URL from its settings, so nothing is rerouted.
"""
import asyncio
import json
import os
import sys

from bkash_pgw_tokenized import Bkash

client = Bkash(
    {
        "username": "lenden_test",
        "password": "lenden_test@bkash",
        "app_key": "lenden_test_app",
        "app_secret": "lenden_test_app_secret",
        "base_url": os.environ["SIMULATOR_URL"] + "/v1.2.0-beta",
    }
)
call = json.loads(sys.argv[1])
print(json.dumps(asyncio.run(getattr(client, call["method"])(*call["arguments"], **call["keywords"]))))
