import { createSign, generateKeyPairSync, randomUUID } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { selfSigned } from './certificate.ts';
import { noticeFields } from './records.ts';
import type { Payment, State } from './state.ts';

/** Posts notices about payments to the merchant, in the form of Amazon's notification service (SNS), signed with the simulator's own key. */
export type Notices = {
  /** Posts the notice of a completed payment once. There is no retry if the merchant does not accept it. */
  send(payment: Payment): void;
  /** PEM of the X.509 certificate that verifies the signatures. */
  certificate: string;
  /** Resolves when no notice is being sent. */
  idle(): Promise<void>;
};

type NoticesOptions = { folder: string; state: State; publicUrl: string; closing: AbortSignal };

const postTimeoutMs = 10_000;
const topic = 'arn:aws:sns:ap-southeast-1:000000000000:lenden-simulator';
/** The signed fields, in the order in which the signed text has them. */
const signedNames = ['Message', 'MessageId', 'Timestamp', 'TopicArn', 'Type'] as const;

export async function createNotices({ folder, state, publicUrl, closing }: NoticesOptions): Promise<Notices> {
  const privateKey = await readOrMake(folder, 'notice-key.pem', makeKey);
  const certificate = await readOrMake(folder, 'notice-certificate.pem', () =>
    selfSigned({ privateKey, commonName: 'sns.simulator.example', nowMs: Date.now() }),
  );
  const inProgress = new Set<Promise<void>>();
  const post = async (url: string, payment: Payment): Promise<void> => {
    await fetch(url, {
      method: 'POST',
      redirect: 'error',
      headers: { 'content-type': 'text/plain; charset=UTF-8', 'x-amz-sns-message-type': 'Notification' },
      body: envelope({ payment, privateKey, publicUrl }),
      signal: AbortSignal.any([closing, AbortSignal.timeout(postTimeoutMs)]),
    });
  };
  return {
    send(payment) {
      const url = state.settings.noticeUrl;
      if (url !== '') {
        const sent = post(url, payment).catch(() => undefined);
        inProgress.add(sent);
        void sent.finally(() => inProgress.delete(sent));
      }
    },
    certificate,
    idle: async () => {
      await Promise.all(inProgress);
    },
  };
}

function envelope(given: { payment: Payment; privateKey: string; publicUrl: string }): string {
  const { payment, privateKey, publicUrl } = given;
  if (payment.end?.status !== 'Completed') {
    throw new Error('Only a completed payment has a notice');
  }
  const fields = {
    Type: 'Notification',
    MessageId: randomUUID(),
    TopicArn: topic,
    Message: JSON.stringify(noticeFields(payment, payment.end)),
    Timestamp: new Date(payment.end.at).toISOString(),
  };
  const text = signedNames.map((name) => `${name}\n${fields[name]}\n`).join('');
  return JSON.stringify({
    ...fields,
    SignatureVersion: '1',
    Signature: createSign('RSA-SHA1').update(text).sign(privateKey, 'base64'),
    SigningCertURL: `${publicUrl}/bkash/notice-certificate.pem`,
    UnsubscribeURL: `${publicUrl}/bkash/unsubscribe`,
  });
}

/** Reads the file, or makes and stores its content at the first start. The certificate must stay the same because merchants keep a copy. */
async function readOrMake(folder: string, name: string, make: () => string): Promise<string> {
  const file = join(folder, name);
  const kept = await readFile(file, 'utf8').catch(() => undefined);
  if (kept !== undefined) {
    return kept;
  }
  const made = make();
  await mkdir(folder, { recursive: true });
  await writeFile(file, made, { mode: 0o600 });
  return made;
}

function makeKey(): string {
  const { privateKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  return privateKey;
}
