"""A mail server and a parser that share nothing with ours: prints each mail as one line of JSON. Ends when its input does."""

import email
import email.policy
import json
import sys
import threading
import warnings

warnings.simplefilter("ignore")


def describe(sender, recipients, data):
    mail = email.message_from_bytes(data, policy=email.policy.default)
    part = lambda kind: mail.get_body(preferencelist=(kind,)).get_content()
    print(
        json.dumps(
            {
                "sender": sender,
                "recipients": recipients,
                "names": sorted(name.lower() for name in mail.keys()),
                "headers": {name.lower(): str(value) for name, value in mail.items()},
                "defects": [type(defect).__name__ for defect in mail.defects],
                "text": part("plain"),
                "html": part("html"),
            }
        ),
        flush=True,
    )


def serve():
    try:
        import asyncore
        import smtpd

        class Server(smtpd.SMTPServer):
            def process_message(self, peer, mailfrom, rcpttos, data, **options):
                describe(mailfrom, rcpttos, data)

        server = Server(("127.0.0.1", 0), None, decode_data=False)
        threading.Thread(target=lambda: asyncore.loop(timeout=0.1), daemon=True).start()
        return server.socket.getsockname()[1]
    except ImportError:
        from aiosmtpd.controller import Controller

        class Handler:
            async def handle_DATA(self, server, session, envelope):
                describe(envelope.mail_from, envelope.rcpt_tos, envelope.content)
                return "250 kept"

        controller = Controller(Handler(), hostname="127.0.0.1", port=0, ready_timeout=30)
        controller.start()
        return controller.server.sockets[0].getsockname()[1]


print(json.dumps({"port": serve()}), flush=True)
sys.stdin.read()
