import { createHmac, randomBytes } from 'node:crypto';
import { DomainError } from '../../../domain/errors.ts';
import { randomBase62 } from '../../../domain/references.ts';
import { matchingTotpSteps, type HmacSha1 } from '../../../domain/totp.ts';
import { secondFactorPlace } from '../../../runtime/sealed-places.ts';
import type { SecretBox } from '../../../runtime/secrets.ts';
import { readNow } from '../../../database/clock.ts';
import type { EntityManager } from '../../../database/connection.ts';
import { Operator, OperatorRecoveryCode } from '../../../database/entities/operator.ts';
import { statement, type Given } from '../../../database/typed-statements.ts';
import { recoveryCodeHash } from '../passwords.ts';

/** RFC 4226, 4: at least 128 bits, 160 recommended. */
const SECRET_BYTES = 20;
const RECOVERY_CODES = 10;
/** 14 of 62 characters: 83 bits. */
const RECOVERY_CODE_LENGTH = 14;
const RECOVERY_SALT_BYTES = 16;

export const hmacSha1: HmacSha1 = (key, message) => createHmac('sha1', key).update(message).digest();

/**
 * Starts the setup of a second factor, which becomes active once a code has confirmed it. Returns the secret, which cannot be read again.
 * @throws DomainError INVALID_OPERATION_STATE if one is already confirmed
 */
export async function beginTotp(em: EntityManager, secrets: SecretBox, operatorId: bigint): Promise<Uint8Array> {
  const secret = randomBytes(SECRET_BYTES);
  const begun = await em.nativeUpdate(
    Operator,
    { id: operatorId, totpConfirmedAt: null },
    {
      totpSecret: secrets.seal(secret.toString('base64'), secondFactorPlace(operatorId)),
      totpLastStep: null,
      updatedAt: new Date(),
    },
  );
  if (begun === 0) {
    throw new DomainError('INVALID_OPERATION_STATE', 'a second factor is already set up');
  }
  return secret;
}

/**
 * Confirms the second factor with its first valid code. Returns the recovery codes, of which only hashes are stored, or null if the code is wrong.
 */
export async function confirmTotp(
  em: EntityManager,
  secrets: SecretBox,
  { operatorId, code }: { operatorId: bigint; code: string },
): Promise<string[] | null> {
  const operator = await em.findOne(Operator, { id: operatorId, totpConfirmedAt: null });
  if (operator === null || !(await takeCode(em, secrets, { operator, code, confirmed: false }))) {
    return null;
  }
  const codes = Array.from({ length: RECOVERY_CODES }, () => randomBase62(RECOVERY_CODE_LENGTH));
  const salt = randomBytes(RECOVERY_SALT_BYTES);
  const hashes = await Promise.all(codes.map((recoveryCode) => recoveryCodeHash(recoveryCode, salt)));
  await em.nativeDelete(OperatorRecoveryCode, { operatorId });
  await em.insertMany(
    OperatorRecoveryCode,
    hashes.map((codeHash) => ({ operatorId, salt, codeHash })),
  );
  await em.nativeUpdate(Operator, { id: operatorId }, { totpConfirmedAt: await readNow(em) });
  return codes;
}

export async function removeTotp(em: EntityManager, operatorId: bigint): Promise<boolean> {
  const removed = await em.nativeUpdate(
    Operator,
    { id: operatorId, totpSecret: { $ne: null } },
    { totpSecret: null, totpConfirmedAt: null, totpLastStep: null, updatedAt: new Date() },
  );
  await em.nativeDelete(OperatorRecoveryCode, { operatorId });
  return removed === 1;
}

/** Accepts an operator's valid code once. That code and all earlier ones are rejected from then on. */
export async function takeTotpCode(
  em: EntityManager,
  secrets: SecretBox,
  { operatorId, code }: { operatorId: bigint; code: string },
): Promise<boolean> {
  const operator = await em.findOne(Operator, { id: operatorId, totpConfirmedAt: { $ne: null } });
  return operator !== null && takeCode(em, secrets, { operator, code, confirmed: true });
}

const TAKE_STEP = statement((db, $: Given<{ id: bigint; totpSecret: string; step: bigint; confirmed: boolean }>) =>
  db
    .updateTable('operators')
    .set({ totpLastStep: $('step') })
    .where('id', '=', $('id'))
    .where((eb) => eb(eb('totpConfirmedAt', 'is not', null), '=', $('confirmed')))
    .where('totpSecret', '=', $('totpSecret'))
    .where((eb) => eb.or([eb('totpLastStep', 'is', null), eb('totpLastStep', '<', $('step'))]))
    .returning('id'),
);

async function takeCode(
  em: EntityManager,
  secrets: SecretBox,
  { operator, code, confirmed }: { operator: Operator; code: string; confirmed: boolean },
): Promise<boolean> {
  if (typeof operator.totpSecret !== 'string') {
    return false;
  }
  const secret = Buffer.from(secrets.open(operator.totpSecret, secondFactorPlace(operator.id)), 'base64');
  const step = matchingTotpSteps({ secret, code, at: await readNow(em), hmac: hmacSha1 }).at(-1);
  if (step === undefined) {
    return false;
  }
  // Checking and taking are one statement, so that of two requests with the same code only one succeeds.
  const { id, totpSecret } = operator;
  return (await TAKE_STEP.first(em, { id, totpSecret, step, confirmed })) !== undefined;
}

/** Accepts a recovery code once. */
export async function takeRecoveryCode(
  em: EntityManager,
  { operatorId, recoveryCode }: { operatorId: bigint; recoveryCode: string },
): Promise<boolean> {
  const unused = await em.findOne(OperatorRecoveryCode, { operatorId, usedAt: null });
  if (unused === null) {
    return false;
  }
  const codeHash = await recoveryCodeHash(recoveryCode, unused.salt);
  const taken = await em.nativeUpdate(
    OperatorRecoveryCode,
    { operatorId, codeHash, usedAt: null },
    { usedAt: await readNow(em) },
  );
  return taken === 1;
}
