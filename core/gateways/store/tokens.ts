import { randomUUID } from 'node:crypto';
import { gatewayTokenPlace } from '../../../runtime/sealed-places.ts';
import type { SecretBox } from '../../../runtime/secrets.ts';
import type { Database } from '../../../database/connection.ts';
import { instant } from '../../../database/read-row.ts';

/** Longer than all calls for a token together. */
const TAKEN_SECONDS = 30;

interface Parts {
  /** Runs as a role that may store tokens: `withSystem` or `withOperator`. */
  readonly transaction: Database['withSystem'];
  readonly secrets: Pick<SecretBox, 'seal' | 'open'>;
}

interface TokenRow {
  sealed: string | null;
  read_at: string;
}

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

  constructor(parts: Parts, taken: { readonly account: string; readonly taker: string; readonly row: TokenRow }) {
    this.#parts = parts;
    this.#account = taken.account;
    this.#taker = taken.taker;
    this.kept = opened(parts.secrets, { account: taken.account, sealed: taken.row.sealed });
    this.readAt = instant(taken.row.read_at);
  }

  async write(kept: string): Promise<void> {
    const { transaction, secrets } = this.#parts;
    const sealed = secrets.seal(kept, gatewayTokenPlace(this.#account));
    const written = await transaction((em) =>
      em.execute<object[]>(
        'update gateway_tokens set sealed = ?, updated_at = now() where account = ? and taken_by = ?::uuid returning 1',
        [sealed, this.#account, this.#taker],
      ),
    );
    if (written.length === 0) {
      throw new Error('another process has already fetched a token of the account');
    }
  }

  async release(): Promise<void> {
    await this.#parts.transaction((em) =>
      em.execute(
        'update gateway_tokens set taken_by = null, taken_until = null where account = ? and taken_by = ?::uuid',
        [this.#account, this.#taker],
      ),
    );
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
    const [row] = await this.#parts.transaction((em) =>
      em.execute<TokenRow[]>(
        'select (select sealed from gateway_tokens where account = ?) as sealed, clock_timestamp() as read_at',
        [account],
      ),
    );
    if (row === undefined) {
      throw new Error('the database did not return its time');
    }
    return { kept: opened(this.#parts.secrets, { account, sealed: row.sealed }), readAt: instant(row.read_at) };
  }

  /** Returns null while another process holds the token. */
  async take(account: string): Promise<TakenGatewayToken | null> {
    const taker = randomUUID();
    const [row] = await this.#parts.transaction((em) =>
      em.execute<TokenRow[]>(
        `insert into gateway_tokens as g (account, taken_by, taken_until)
         values (?, ?::uuid, clock_timestamp() + interval '${TAKEN_SECONDS} seconds')
         on conflict (account) do update set taken_by = excluded.taken_by, taken_until = excluded.taken_until
           where g.taken_until is null or g.taken_until < clock_timestamp()
         returning sealed, clock_timestamp() as read_at`,
        [account, taker],
      ),
    );
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
