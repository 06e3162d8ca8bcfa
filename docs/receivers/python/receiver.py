"""A webhook receiver on Python 3.9 or later without packages. WEBHOOK_SECRET is the app's signing secret for one mode, whsec_…,
and WEBHOOK_MODE that mode: LIVE, unless it is TEST."""
import base64, hashlib, hmac, json, os, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock

KEY = base64.b64decode(os.environ["WEBHOOK_SECRET"].removeprefix("whsec_"), validate=True)
assert len(KEY) >= 24, "WEBHOOK_SECRET is too short"
MODE = os.environ.get("WEBHOOK_MODE", "LIVE")
seen, newest, lock = set(), {}, Lock()  # Keep these in your database, in the transaction that acts on the event.

def is_genuine(headers, body):
    event_id, sent_at = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not event_id or not (sent_at.isascii() and sent_at.isdigit()) or abs(time.time() - int(sent_at)) > 300:
        return False
    digest = hmac.new(KEY, f"{event_id}.{sent_at}.".encode() + body, hashlib.sha256).digest()
    expected = b"v1," + base64.b64encode(digest)
    return any(hmac.compare_digest(expected, one.encode()) for one in headers.get("webhook-signature", "").split(" "))

def accept(event):
    if event["mode"] != MODE: return "wrong mode"  # Never ship for a TEST payment.
    with lock:
        if event["id"] in seen: return "duplicate"
        seen.add(event["id"])
        if event["sequence"] <= newest.get(event["subject"], 0): return "stale"  # A later state was seen already.
        newest[event["subject"]] = event["sequence"]
        return "accepted"  # Act on event["type"] and event["data"] here.

class Receiver(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0)))  # The raw bytes, as they were signed.
        event = json.loads(body) if is_genuine(self.headers, body) else {}
        answer = accept(event) if event else "bad signature"
        print(answer, *(event.get(name) for name in ("mode", "type", "subject", "sequence", "id")), flush=True)
        self.send_response({"bad signature": 401, "wrong mode": 400}.get(answer, 200))
        self.end_headers()
        self.wfile.write(answer.encode())

ThreadingHTTPServer(("127.0.0.1", int(os.environ.get("PORT", "4000"))), Receiver).serve_forever()
