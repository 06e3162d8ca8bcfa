import { createPublicKey, createSign, randomBytes } from 'node:crypto';

/*
 * A self-signed X.509 version 3 certificate, encoded by hand because Node can read certificates but cannot create them. Source: RFC 5280, section
 * 4.1.
 */

const yearMs = 365 * 24 * 3_600_000;
const validForMs = 10 * yearMs;

const tags = { integer: 0x02, bits: 0x03, none: 0x05, oid: 0x06, utf8: 0x0c, utcTime: 0x17, sequence: 0x30, set: 0x31 };
const versionTag = 0xa0;
const oids = {
  sha256WithRsa: Buffer.from('2a864886f70d01010b', 'hex'),
  commonName: Buffer.from('550403', 'hex'),
};

/** Returns the PEM of a certificate for the key's public half, signed with the key itself. */
export function selfSigned(given: { privateKey: string; commonName: string; nowMs: number }): string {
  const { privateKey, commonName, nowMs } = given;
  const algorithm = der(tags.sequence, der(tags.oid, oids.sha256WithRsa), der(tags.none));
  const attribute = der(tags.sequence, der(tags.oid, oids.commonName), der(tags.utf8, Buffer.from(commonName)));
  const name = der(tags.sequence, der(tags.set, attribute));
  const toBeSigned = der(
    tags.sequence,
    der(versionTag, der(tags.integer, Buffer.from([2]))),
    der(tags.integer, serialNumber()),
    algorithm,
    name,
    der(tags.sequence, utcTime(nowMs), utcTime(nowMs + validForMs)),
    name,
    createPublicKey(privateKey).export({ type: 'spki', format: 'der' }),
  );
  const signature = createSign('RSA-SHA256').update(toBeSigned).sign(privateKey);
  const noUnusedBits = Buffer.from([0]);
  const certificate = der(tags.sequence, toBeSigned, algorithm, der(tags.bits, noUnusedBits, signature));
  const lines = certificate.toString('base64').match(/.{1,64}/g) ?? [];
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n');
}

function der(tag: number, ...contents: readonly Buffer[]): Buffer {
  const content = Buffer.concat(contents);
  return Buffer.concat([Buffer.from([tag, ...lengthOctets(content.length)]), content]);
}

function lengthOctets(length: number): number[] {
  if (length < 0x80) {
    return [length];
  }
  const octets: number[] = [];
  for (let left = length; left > 0; left = Math.floor(left / 256)) {
    octets.unshift(left % 256);
  }
  return [0x80 + octets.length, ...octets];
}

/** Returns a positive integer in its shortest DER form: the first byte is never zero. */
function serialNumber(): Buffer {
  const serial = randomBytes(16);
  serial[0] = ((serial[0] ?? 0) % 0x7f) + 1;
  return serial;
}

function utcTime(ms: number): Buffer {
  const digits = new Date(ms).toISOString().replaceAll(/\D/g, '').slice(2, 14);
  return der(tags.utcTime, Buffer.from(`${digits}Z`));
}
