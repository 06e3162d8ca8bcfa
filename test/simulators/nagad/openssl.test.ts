import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { seal, unseal } from '../../../simulators/nagad/envelope.ts';
import { startNagadSimulator } from '../../../simulators/nagad/server.ts';
import { goodHeaders, merchantId, privateKey, publicKey, readKeys } from './merchant.ts';

/* The same RSA operations with an independent program: the openssl command line makes a merchant's keys, encrypts, decrypts, signs and verifies. */

let folder: string;
let running: Awaited<ReturnType<typeof startNagadSimulator>>;
const file = (name: string): string => join(folder, name);
const openssl = (...args: string[]): Buffer => execFileSync('openssl', args, { stdio: ['ignore', 'pipe', 'pipe'] });
const pkcs1 = ['-pkeyopt', 'rsa_padding_mode:pkcs1'];
/** Returns the body of a PEM without header and footer, which is how keys are exchanged. */
const bodyOf = (pem: string): string => pem.replaceAll(/-----[^-]+-----|\s/g, '');
const pemOf = (body: string): string => `-----BEGIN PUBLIC KEY-----\n${body}\n-----END PUBLIC KEY-----\n`;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'nagad-openssl-'));
  openssl('genpkey', '-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048', '-out', file('own.pem'));
  openssl('pkey', '-in', file('own.pem'), '-pubout', '-out', file('own.pub'));
  const merchants = [{ id: merchantId, publicKey: bodyOf(readFileSync(file('own.pub'), 'utf8')) }];
  running = await startNagadSimulator({ dataDir: folder, merchants });
  writeFileSync(file('gateway.pub'), pemOf((await readKeys(folder)).gateway.publicKey));
});
afterAll(async () => {
  await running.close();
  rmSync(folder, { recursive: true });
});

function encryptAndSign(text: string): { sensitiveData: string; signature: string } {
  writeFileSync(file('plain'), text);
  const sealed = openssl(
    'pkeyutl',
    '-encrypt',
    '-pubin',
    '-inkey',
    file('gateway.pub'),
    ...pkcs1,
    '-in',
    file('plain'),
  );
  const signature = openssl('dgst', '-sha256', '-sign', file('own.pem'), file('plain'));
  return { sensitiveData: sealed.toString('base64'), signature: signature.toString('base64') };
}

function decryptAndVerify(envelope: { sensitiveData: string; signature: string }): { text: string; verdict: string } {
  writeFileSync(file('sealed'), Buffer.from(envelope.sensitiveData, 'base64'));
  writeFileSync(file('signature'), Buffer.from(envelope.signature, 'base64'));
  const bytes = openssl('pkeyutl', '-decrypt', '-inkey', file('own.pem'), ...pkcs1, '-in', file('sealed'));
  writeFileSync(file('opened'), bytes);
  const verify = ['dgst', '-sha256', '-verify', file('gateway.pub'), '-signature', file('signature'), file('opened')];
  return {
    text: bytes.toString('utf8'),
    verdict: openssl(...verify)
      .toString('utf8')
      .trim(),
  };
}

test('a merchant whose RSA is openssl’s initializes and reads the answer', async () => {
  // Otherwise Lenden and the simulator could share a wrong reading of the padding, digest or encoding.
  const dateTime = '20261122101112';
  const text = JSON.stringify({ merchantId, datetime: dateTime, orderId: 'OPENSSL1', challenge: 'a'.repeat(40) });
  const url = `${running.url}/api/dfs/check-out/initialize/${merchantId}/OPENSSL1`;
  const answer = await fetch(url, {
    method: 'POST',
    headers: goodHeaders,
    body: JSON.stringify({ dateTime, ...encryptAndSign(text) }),
  });
  expect(answer.status).toBe(200);
  const { text: told, verdict } = decryptAndVerify((await answer.json()) as ReturnType<typeof encryptAndSign>);
  expect(verdict).toBe('Verified OK');
  expect(Object.keys(JSON.parse(told) as object)).toEqual(['paymentReferenceId', 'challenge', 'acceptDateTime']);
});

test('the simulator opens what openssl sealed, and openssl what the simulator sealed, up to 245 bytes', async () => {
  // 245 bytes is the limit of PKCS#1 v1.5 with 2048 bits. This checks both directions of the test vectors.
  const { gateway } = await readKeys(folder);
  const own = publicKey(bodyOf(readFileSync(file('own.pub'), 'utf8')));
  const text = 'ল'.repeat(81) + 'xy';
  expect(Buffer.byteLength(text)).toBe(245);
  const opened = unseal(encryptAndSign(text), { reader: privateKey(gateway.privateKey), writer: own });
  expect(opened).toEqual({ bytes: Buffer.from(text), signed: true });
  const sealed = seal({ a: 'b'.repeat(237) }, { reader: own, writer: privateKey(gateway.privateKey) });
  expect(decryptAndVerify(sealed)).toEqual({ text: JSON.stringify({ a: 'b'.repeat(237) }), verdict: 'Verified OK' });
  expect(() => seal({ a: 'b'.repeat(238) }, { reader: own, writer: privateKey(gateway.privateKey) })).toThrow();
});
