import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { readCredentials } from '../../../gateways/nagad/credentials.ts';
import { seal, unseal } from '../../../gateways/nagad/envelope.ts';

/*
 * Keys, ciphertexts and signatures come from the openssl command line, which shares no code with the adapter. "own" is the merchant, "gateway" is
 * Nagad.
 */

let folder: string;
const file = (name: string): string => join(folder, name);
const openssl = (...args: string[]): Buffer => execFileSync('openssl', args, { stdio: ['ignore', 'pipe', 'pipe'] });
const read = (name: string): string => readFileSync(file(name), 'utf8');
const bodyOf = (pem: string): string => pem.replaceAll(/-----[^-]+-----|\s/g, '');
const pkcs1 = ['-pkeyopt', 'rsa_padding_mode:pkcs1'];

function makePair(name: string, bits: number): void {
  openssl('genpkey', '-algorithm', 'RSA', '-pkeyopt', `rsa_keygen_bits:${bits}`, '-out', file(`${name}.pem`));
  openssl('pkey', '-in', file(`${name}.pem`), '-pubout', '-out', file(`${name}.pub`));
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'nagad-secrets-'));
  makePair('own', 2048);
  makePair('gateway', 2048);
  makePair('weak', 1024);
  openssl('rsa', '-in', file('own.pem'), '-traditional', '-out', file('own.pkcs1'));
  openssl('genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256', '-out', file('ec.pem'));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const secret = (changes: Record<string, unknown> = {}): string =>
  JSON.stringify({
    merchantPrivateKey: bodyOf(read('own.pem')),
    gatewayPublicKey: bodyOf(read('gateway.pub')),
    address: '103.100.200.100',
    ...changes,
  });
const credentials = (changes?: Record<string, unknown>) => readCredentials('683000000000001', secret(changes));

/** Encrypts a text for the merchant and signs it as the gateway, both with openssl. */
function fromOpenssl(text: string, signer = 'gateway'): { sensitiveData: string; signature: string } {
  writeFileSync(file('plain'), text);
  const sealed = openssl('pkeyutl', '-encrypt', '-pubin', '-inkey', file('own.pub'), ...pkcs1, '-in', file('plain'));
  const signature = openssl('dgst', '-sha256', '-sign', file(`${signer}.pem`), file('plain'));
  return { sensitiveData: sealed.toString('base64'), signature: signature.toString('base64') };
}

const Told = z.object({ say: z.string() });

describe('an envelope', () => {
  test('of ours opens and verifies by openssl', () => {
    // Otherwise Nagad could not read Lenden's messages because of the padding, the digest or the signed bytes.
    const { sensitiveData, signature } = seal({ say: 'লেনদেন' }, credentials());
    writeFileSync(file('sealed'), Buffer.from(sensitiveData, 'base64'));
    writeFileSync(file('signature'), Buffer.from(signature, 'base64'));
    const bytes = openssl('pkeyutl', '-decrypt', '-inkey', file('gateway.pem'), ...pkcs1, '-in', file('sealed'));
    expect(bytes.toString('utf8')).toBe('{"say":"লেনদেন"}');
    writeFileSync(file('bytes'), bytes);
    const verify = ['-verify', file('own.pub'), '-signature', file('signature'), file('bytes')];
    expect(openssl('dgst', '-sha256', ...verify).toString('utf8')).toContain('Verified OK');
  });

  test('of openssl is opened, over the bytes as they came', () => {
    // The signature covers the received bytes, so it must not be checked over JSON that was serialized again.
    const text = '{ "say" : "\\u09b2", "more": 1 }';
    expect(unseal(z.looseObject({ say: z.string() }), fromOpenssl(text), credentials())).toMatchObject({ say: 'ল' });
  });

  test.each<[string, (good: { sensitiveData: string; signature: string }) => unknown]>([
    ['another signer', () => fromOpenssl('{"say":"a"}', 'own')],
    ['another text', (good) => ({ ...fromOpenssl('{"say":"b"}'), signature: good.signature })],
    ['a ciphertext of nobody', (good) => ({ ...good, sensitiveData: Buffer.alloc(256, 9).toString('base64') })],
    ['a short ciphertext', (good) => ({ ...good, sensitiveData: 'AAAA' })],
    ['no base64', (good) => ({ ...good, sensitiveData: '{"say":"a"}' })],
    ['an empty signature', (good) => ({ ...good, signature: '' })],
    ['no signature', ({ sensitiveData }) => ({ sensitiveData })],
    ['other words', () => fromOpenssl('{"tell":"a"}')],
    ['no JSON', () => fromOpenssl('say')],
    ['no envelope', () => null],
  ])('with %s is not believed, and always in the same words', (_what, spoilt) => {
    // A forged answer must not be accepted, and the error must not reveal why a ciphertext could not be decrypted.
    const answer = spoilt(fromOpenssl('{"say":"a"}'));
    expect(() => unseal(Told, answer, credentials())).toThrow(
      expect.objectContaining({ kind: 'ambiguous', message: 'the answer is not provably from the gateway' }),
    );
  });
});

describe('the secret of a store', () => {
  test.each([
    ['PEM of PKCS#8', 'own.pem'],
    ['PEM of PKCS#1', 'own.pkcs1'],
  ])('may hold the private key as %s, with its frame or without', (_form, name) => {
    // Operators get keys in all of these formats.
    const expected = credentials().merchantPrivateKey;
    for (const merchantPrivateKey of [read(name), bodyOf(read(name)), read(name).replaceAll('\n', '\r\n')]) {
      expect(credentials({ merchantPrivateKey }).merchantPrivateKey.equals(expected)).toBe(true);
    }
    expect(credentials({ gatewayPublicKey: read('gateway.pub') }).gatewayPublicKey.asymmetricKeyType).toBe('rsa');
  });

  test.each<[string, () => Record<string, unknown>]>([
    ['no private key', () => ({ merchantPrivateKey: undefined })],
    ['garbage for a private key', () => ({ merchantPrivateKey: 'AAAA' })],
    ['a public key for the private one', () => ({ merchantPrivateKey: read('own.pub') })],
    ['a private key for the public one', () => ({ gatewayPublicKey: read('own.pem') })],
    ['a key of 1024 bits', () => ({ merchantPrivateKey: read('weak.pem') })],
    ['a public key of 1024 bits', () => ({ gatewayPublicKey: read('weak.pub') })],
    ['a key of another kind', () => ({ merchantPrivateKey: read('ec.pem') })],
    ['no address', () => ({ address: 'localhost' })],
  ])('with %s is refused, without a word of what it holds', (_what, changes) => {
    // A payment must not start with an incomplete configuration, and keys must not get into a log.
    let thrown: unknown;
    try {
      credentials(changes());
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toMatchObject({ name: 'GatewayFailure', kind: 'unauthorized' });
    expect(String(thrown)).not.toContain(bodyOf(read('own.pem')).slice(0, 20));
  });

  test('is JSON, of a merchant that can stand in an address', () => {
    // The merchant's id is part of every request's path.
    expect(() => readCredentials('683000000000001', 'not json')).toThrow(/secret of a Nagad store/);
    expect(() => readCredentials('683/../1', secret())).toThrow(/letters and digits/);
  });
});
