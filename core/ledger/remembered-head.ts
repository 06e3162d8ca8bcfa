import { sql } from 'kysely';
import type { Statements } from '../../database/statements.ts';
import { statement, type Given } from '../../database/typed-statements.ts';

/** A head of the chain as it was recorded outside the database. */
export interface RememberedHead {
  /** Decimal text. */
  readonly sealId: string;
  /** 64 hexadecimal digits. */
  readonly hash: string;
  /** ISO 8601. */
  readonly recordedAt: string;
}

interface Head {
  readonly sealId: bigint;
  readonly hash: Buffer;
  readonly recordedAt: Date;
}

const HOLDS = statement((db, $: Given<Head>) =>
  db.selectNoFrom((eb) =>
    eb
      .or([
        eb.exists(
          eb
            .selectFrom('ledger_seals')
            .select(sql.lit(1).as('one'))
            .where('id', '=', eb.cast<bigint>($('sealId'), 'bigint'))
            .where('hash', '=', $('hash')),
        ),
        eb.exists(
          eb
            .selectFrom('restores')
            .select(sql.lit(1).as('one'))
            .where('restoredAt', '>', $('recordedAt'))
            .where('lastSealId', '<', $('sealId')),
        ),
      ])
      .$castTo<boolean>()
      .as('held'),
  ),
);

/**
 * Returns whether the chain still holds a head that was recorded elsewhere, or `npm run restore` has noted since that its seal is lost. Otherwise an
 * older database is in use without that command, or the chain was rewritten: sealing on would fork it.
 */
export async function holdsHead(
  statements: Statements,
  { sealId, hash, recordedAt }: RememberedHead,
): Promise<boolean> {
  if (sealId === '0') {
    return true;
  }
  const head = { sealId: BigInt(sealId), hash: Buffer.from(hash, 'hex'), recordedAt: new Date(recordedAt) };
  return (await HOLDS.first(statements, head))?.held === true;
}
