import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import PostalMime from 'postal-mime';
import { SMTPServer } from 'smtp-server';
import type { SMTPServerError, SMTPServerSession } from 'smtp-server';
import type { FaultQueue, EmailFault } from './faults.ts';
import type { MessageStore } from './store.ts';

const messageBytesMax = 256 * 1024;
const recipientsMax = 20;
const clientsMax = 50;
/** The server drops a connection after this long without activity, including when a fault keeps the server itself silent. */
const idleMs = 120_000;
const closeMs = 500;

type Answer = (error?: Error | null) => void;

export type SmtpParts = {
  host: string;
  /** 0 picks a free port. */
  port: number;
  store: MessageStore;
  faults: FaultQueue;
};

export type RunningSmtp = { port: number; close(): Promise<void> };

/**
 * Starts a server that accepts every email from every sender and delivers none. It accepts any user name and password. It has no TLS because it
 * listens on the loopback interface.
 */
export async function startSmtp({ host, port, store, faults }: SmtpParts): Promise<RunningSmtp> {
  const server: SMTPServer = new SMTPServer({
    name: 'mailbox.invalid',
    banner: 'Lenden development mailbox',
    disabledCommands: ['STARTTLS'],
    authOptional: true,
    allowInsecureAuth: true,
    disableReverseLookup: true,
    size: messageBytesMax,
    maxClients: clientsMax,
    socketTimeout: idleMs,
    closeTimeout: closeMs,
    onAuth: ({ username }, _session, answer) => answer(null, { user: username ?? 'anybody' }),
    onConnect: (session, answer) => misbehave({ server, session, answer, fault: faults.take('connect') }),
    onRcptTo(_address, session, answer) {
      if (session.envelope.rcptTo.length >= recipientsMax) {
        answer(refusal(452, 'Too many recipients'));
        return;
      }
      misbehave({ server, session, answer, fault: faults.take('recipient') });
    },
    onData(stream, session, answer) {
      const receive = async (): Promise<void> => {
        const chunks: Buffer[] = [];
        for await (const chunk of stream) {
          // A message over the limit is read to its end and discarded.
          if (!stream.sizeExceeded) {
            chunks.push(Buffer.from(chunk));
          }
        }
        if (stream.sizeExceeded) {
          answer(refusal(552, 'Message is too large'));
          return;
        }
        const fault = faults.take('message');
        if (fault === undefined || fault.executed) {
          await keep(store, { session, raw: Buffer.concat(chunks) });
        }
        misbehave({ server, session, answer, fault });
      };
      receive().catch(() => answer(refusal(451, 'The message could not be kept')));
    },
  });
  // Clients that hang up or send invalid data are not this server's errors.
  server.on('error', () => undefined);
  server.listen({ host, port });
  await once(server.server, 'listening');
  return {
    port: (server.server.address() as AddressInfo).port,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

/** Answers as the fault says, or with success if there is none. */
function misbehave(given: {
  server: SMTPServer;
  session: SMTPServerSession;
  answer: Answer;
  fault: EmailFault | undefined;
}): void {
  const { server, session, answer, fault } = given;
  switch (fault?.kind) {
    case undefined:
      answer();
      break;
    case 'temporary':
      answer(refusal(451, 'Try again later: a scripted fault'));
      break;
    case 'permanent':
      answer(refusal(550, 'Refused: a scripted fault'));
      break;
    case 'close':
      for (const connection of server.connections) {
        if (connection.id === session.id) {
          connection.close();
        }
      }
      break;
    case 'silent':
      break;
  }
}

async function keep(store: MessageStore, { session, raw }: { session: SMTPServerSession; raw: Buffer }): Promise<void> {
  // An email that cannot be parsed was delivered all the same, and is shown as it is.
  const parsed = await PostalMime.parse(raw).catch(() => undefined);
  const { mailFrom, rcptTo } = session.envelope;
  await store.add({
    at: new Date().toISOString(),
    from: mailFrom === false ? '' : mailFrom.address,
    to: rcptTo.map(({ address }) => address),
    subject: parsed?.subject ?? '',
    messageId: parsed?.messageId ?? '',
    rawBase64: raw.toString('base64'),
  });
}

function refusal(responseCode: number, message: string): SMTPServerError {
  return Object.assign(new Error(message), { responseCode });
}
