import { randomUUID } from 'node:crypto';
import { gatewayTokenPlace } from '../../../runtime/sealed-places.ts';
import type { SecretBox } from '../../../runtime/secrets.ts';
import type { Database } from '../../../database/connection.ts';
import { clock, constantSpan, now, plus } from '../../../database/expressions.ts';
import { statement, type Given, type RowOf } from '../../../database/typed-statements.ts';

/** Longer than all calls for a token together. */
const TAKEN_SECONDS = 30;

interface Parts {
  /** Runs as a role that may store tokens: `withSystem` or `withOperator`. */
  readonly transaction: Database['withSystem'];
  readonly secrets: Pick<SecretBox, 'seal' | 'open'>;
}

const READ = statement((db, $: Given<{ account: string }>) =>
  db.selectNoFrom((eb) => [
    eb.selectFrom('gateway_tokens').select('sealed').where('account', '=', $('account')).as('sealed'),
    clock.as('readAt'),
  ]),
);

const TAKE = statement((db, $: Given<{ account: string; taker: string }>) =>
  db
    .insertInto('gateway_tokens')
    .values({
      account: $('account'),
      takenBy: $('taker'),
      takenUntil: plus(clock, constantSpan(`${TAKEN_SECONDS} seconds`)),
    })
    .onConflict((conflict) =>
      conflict
        .column('account')
        .doUpdateSet((eb) => ({ takenBy: eb.ref('excluded.takenBy'), takenUntil: eb.ref('excluded.takenUntil') }))
        .where((eb) =>
          eb.or([eb('gateway_tokens.takenUntil', 'is', null), eb('gateway_tokens.takenUntil', '<', clock)]),
        ),
    )
    .returning(['sealed', clock.as('readAt')]),
);

const WRITE = statement((db, $: Given<{ account: string; taker: string; sealed: string }>) =>
  db
    .updateTable('gateway_tokens')
    .set({ sealed: $('sealed'), updatedAt: now })
    .where('account', '=', $('account'))
    .where('takenBy', '=', $('taker'))
    .returning('id'),
);

const RELEASE = statement((db, $: Given<{ account: string; taker: string }>) =>
  db
    .updateTable('gateway_tokens')
    .set({ takenBy: null, takenUntil: null })
    .where('account', '=', $('account'))
    .where('takenBy', '=', $('taker')),
);

/** What is stored for an account, and the database's time of the read. */
export interface KeptGatewayToken {
  readonly kept: string | null;
  readonly readAt: Date;
}

/** The token of an account while one process holds it for renewal. */
export class TakenGatewayToken {
  readonly #parts: Parts;
  readonly #account: string;
  readonly #taker: string;
  readonly kept: string | null;
  readonly readAt: Date;

  constructor(
    parts: Parts,
    taken: { readonly account: string; readonly taker: string; readonly row: RowOf<typeof TAKE> },
  ) {
    this.#parts = parts;
    this.#account = taken.account;
    this.#taker = taken.taker;
    this.kept = opened(parts.secrets, { account: taken.account, sealed: taken.row.sealed });
    this.readAt = taken.row.readAt;
  }

  async write(kept: string): Promise<void> {
    const { transaction, secrets } = this.#parts;
    const sealed = secrets.seal(kept, gatewayTokenPlace(this.#account));
    const written = await transaction((em) => WRITE.first(em, { account: this.#account, taker: this.#taker, sealed }));
    if (written === undefined) {
      throw new Error('another process has already fetched a token of the account');
    }
  }

  async release(): Promise<void> {
    await this.#parts.transaction((em) => RELEASE.all(em, { account: this.#account, taker: this.#taker }));
  }
}

/**
 * Stores gateways' tokens, sealed, for all processes. A row is held for half a minute by its columns, not locked, so that no transaction stays open
 * while a gateway is called.
 */
export class GatewayTokens {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Returns null as `kept` if nothing is stored or it can no longer be opened. A new token is then fetched. */
  async read(account: string): Promise<KeptGatewayToken> {
    const row = await this.#parts.transaction((em) => READ.first(em, { account }));
    if (row === undefined) {
      throw new Error('the database did not return its time');
    }
    return { kept: opened(this.#parts.secrets, { account, sealed: row.sealed }), readAt: row.readAt };
  }

  /** Returns null while another process holds the token. */
  async take(account: string): Promise<TakenGatewayToken | null> {
    const taker = randomUUID();
    const row = await this.#parts.transaction((em) => TAKE.first(em, { account, taker }));
    return row === undefined ? null : new TakenGatewayToken(this.#parts, { account, taker, row });
  }
}

function opened(
  secrets: Pick<SecretBox, 'open'>,
  { account, sealed }: { readonly account: string; readonly sealed: string | null },
): string | null {
  try {
    return sealed === null ? null : secrets.open(sealed, gatewayTokenPlace(account));
  } catch {
    return null;
  }
}
