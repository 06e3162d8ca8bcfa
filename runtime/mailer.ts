import { createTransport } from 'nodemailer';
import { encodeWord } from 'nodemailer/lib/mime-funcs';
import { readMailAddress } from './mail/address.ts';
import { isOneLine } from './mail/one-line.ts';
import { outcomeOf, type EmailOutcome } from './mail/outcome.ts';
import type { MailServer, MailSettings } from './mail/settings.ts';

/** One email to one person. */
export interface Mail {
  readonly to: string;
  /** One line. */
  readonly subject: string;
  readonly text: string;
  readonly html: string;
  /**
   * The local part of the Message-ID: letters, digits, `.`, `_` and `-`, at most 100. The same for every attempt, so that recipients can recognize a
   * duplicate.
   */
  readonly messageId: string;
  /** BCP 47, such as `bn`. */
  readonly language: string;
}

export interface Mailer {
  /** Sends within 45 seconds or not at all; never throws. After `unavailable` the caller tries again later. */
  send(mail: Mail): Promise<EmailOutcome>;
  /** Accepts no more email; what is being sent still goes out. */
  close(): void;
}

/** All in milliseconds. `total` limits a server that keeps answering but never finishes. */
export interface MailerTimeouts {
  readonly connect: number;
  readonly greeting: number;
  readonly silence: number;
  readonly total: number;
}

const TIMEOUTS: MailerTimeouts = { connect: 10_000, greeting: 10_000, silence: 20_000, total: 45_000 };
const CONNECTIONS_MAX = 3;
const MAILS_PER_CONNECTION_MAX = 100;
/** Shorter than servers allow idle clients, so that we close first and no email meets a closing connection. */
const IDLE_MS = 10_000;
const ANSWER_BYTES_MAX = 64 * 1024;
const SUBJECT_MAX = 300;
/** Source: RFC 2047, 2: 75 characters including charset and delimiters. */
const ENCODED_WORD_MAX = 52;
const BODY_MAX = 200_000;
const MESSAGE_ID = /^[A-Za-z0-9](?:[A-Za-z0-9_-]|\.(?=[A-Za-z0-9_-])){0,99}$/;
const LANGUAGE = /^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,4}$/;

/** Returns a mailer with a few connections to one mail server, opened on demand. Nothing of an email or of the settings is logged or thrown. */
export function createMailer(settings: MailSettings, timeouts: MailerTimeouts = TIMEOUTS): Mailer {
  const transport = createTransport({
    pool: true,
    ...connectionOptions(settings.server),
    maxConnections: CONNECTIONS_MAX,
    maxMessages: MAILS_PER_CONNECTION_MAX,
    // The caller decides about retries: a connection that broke may have delivered the email.
    maxRequeues: 0,
    idleTimeout: IDLE_MS,
    maxResponseSize: ANSWER_BYTES_MAX,
    connectionTimeout: timeouts.connect,
    dnsTimeout: timeouts.connect,
    greetingTimeout: timeouts.greeting,
    socketTimeout: timeouts.silence,
    socketCloseTimeout: 1_000,
    disableFileAccess: true,
    disableUrlAccess: true,
    logger: false,
  });
  // Errors are returned per email. Without a listener, the pool's own error event would end the process.
  transport.on('error', () => undefined);
  let closed = false;
  return {
    async send(mail) {
      const to = readMailAddress(mail.to);
      if (to === null) {
        return { kind: 'refused', code: 'bad-address' };
      }
      if (!isSendable(mail)) {
        return { kind: 'refused', code: 'bad-message' };
      }
      if (closed) {
        return { kind: 'unavailable', code: 'closed' };
      }
      const stop = new AbortController();
      const timer = setTimeout(() => stop.abort(), timeouts.total);
      try {
        await transport.sendMail({ ...messageOf({ ...mail, to }, settings.from), signal: stop.signal });
        return { kind: 'sent' };
      } catch (error) {
        return outcomeOf(error);
      } finally {
        clearTimeout(timer);
      }
    },
    close() {
      closed = true;
      transport.close();
    },
  };
}

function connectionOptions({ host, port, tls, login }: MailServer) {
  return {
    host,
    port,
    secure: tls === 'implicit',
    requireTLS: tls === 'required',
    ignoreTLS: tls === 'none',
    tls: { minVersion: 'TLSv1.2', rejectUnauthorized: true },
    // Log in even if the server offers no login, so that email for an authenticated sender is never sent anonymously.
    ...(login === null ? {} : { auth: { user: login.user, pass: login.password }, forceAuth: true }),
  } as const;
}

/**
 * Returns whether every field that becomes a header is one line and everything else has a valid size. Nothing is repaired; the caller gets an error.
 */
function isSendable({ subject, text, html, messageId, language }: Mail): boolean {
  return (
    isOneLine(subject) &&
    subject.trim() !== '' &&
    subject.length <= SUBJECT_MAX &&
    [text, html].every((body) => body.isWellFormed() && body.length > 0 && body.length <= BODY_MAX) &&
    MESSAGE_ID.test(messageId) &&
    LANGUAGE.test(language)
  );
}

function messageOf({ to, subject, text, html, messageId, language }: Mail, from: MailSettings['from']) {
  const domain = from.address.slice(from.address.lastIndexOf('@') + 1);
  return {
    from,
    to: { name: '', address: to },
    envelope: { from: from.address, to: [to] },
    // Encode text that looks like an encoded word. A mail program would otherwise decode it to something that was not checked here.
    subject: subject.includes('=?') ? encodeWord(subject, 'B', ENCODED_WORD_MAX) : subject,
    text,
    html,
    messageId: `<${messageId}@${domain}>`,
    headers: {
      // Source: RFC 3834, 5. Automatic responders do not answer such email.
      'Auto-Submitted': 'auto-generated',
      'Content-Language': language,
    },
  };
}
