import type { CustomTypesConfig, Pool, PoolClient, QueryResult } from 'pg';
import { CompiledText, nameOf, queryOf } from './compiled-text.ts';

/** A statement. Each `?` in its text stands for a value. */
export interface Statement {
  readonly text: string;
  readonly values: readonly unknown[];
}

/**
 * Runs statements in the transaction of a unit of work. MikroORM's EntityManager implements it too. Each `?` in a plain text stands for a value; typed
 * statements pass their compiled text.
 */
export interface Statements {
  execute<Rows extends object[]>(text: string | CompiledText, values?: readonly unknown[]): Promise<Rows>;
}

/**
 * Runs one transaction in one round trip. Opening, statements and commit are sent together, so `work` must send all its statements before it awaits
 * the first result. Anything it does with the results happens after the commit. Without an opening, the first statement of `work` opens the scope.
 */
export async function inOneTrip<T>(
  pool: Pool,
  opening: Statement | null,
  work: (statements: Statements) => Promise<T>,
): Promise<T> {
  return withClient(pool, async (client) => {
    const sent: Promise<QueryResult>[] = [];
    let open = true;
    const execute = async <Rows extends object[]>(
      text: string | CompiledText,
      values: readonly unknown[] = [],
    ): Promise<Rows> => {
      if (!open) {
        throw new Error(
          'the transaction is already sent: a single-trip transaction cannot wait between its statements',
        );
      }
      const answer = client.query(toQuery(text, values));
      sent.push(answer);
      return (await answer).rows as Rows;
    };
    const { working, committing } = inOneWrite(client, () => {
      sent.push(...begin(client, opening));
      const begun = work({ execute });
      begun.catch(() => undefined);
      open = false;
      return { working: begun, committing: client.query('commit') };
    });
    await firstFailureOf([...sent, committing]);
    requireCommitted(await committing);
    return working;
  });
}

/** Runs one transaction of plain statements. The opening is sent with the first one, so n statements take n + 1 round trips. */
export async function inTransaction<T>(
  pool: Pool,
  opening: Statement,
  work: (statements: Statements) => Promise<T>,
): Promise<T> {
  return withClient(pool, async (client) => {
    let opened: Promise<unknown> = Promise.resolve();
    const execute = async <Rows extends object[]>(
      text: string | CompiledText,
      values: readonly unknown[] = [],
    ): Promise<Rows> => {
      const answer = client.query(toQuery(text, values));
      answer.catch(() => undefined);
      await opened;
      return (await answer).rows as Rows;
    };
    try {
      const working = inOneWrite(client, () => {
        opened = Promise.all(begin(client, opening));
        opened.catch(() => undefined);
        return work({ execute });
      });
      const result = await working;
      await opened;
      requireCommitted(await client.query('commit'));
      return result;
    } catch (error) {
      // A lost connection has already been rolled back.
      await client.query('rollback').catch(() => undefined);
      throw error;
    }
  });
}

/** Runs one statement as its own transaction, outside any scope. */
export async function runAlone<Row extends object>(
  pool: Pool,
  text: string | CompiledText,
  values: readonly unknown[],
): Promise<Row[]> {
  const { rows } = await pool.query<Row>(toQuery(text, values));
  return rows;
}

/** A connection for exclusive use. */
export interface HeldSession {
  execute<Row extends object>(text: string, values: readonly unknown[]): Promise<Row[]>;
  /** Closes the connection. */
  release(): void;
}

export async function holdSession(pool: Pool): Promise<HeldSession> {
  const client = await pool.connect();
  // A lost connection makes the next statement fail.
  client.on('error', () => undefined);
  let released = false;
  return {
    execute: async <Row extends object>(text: string, values: readonly unknown[]) =>
      (await client.query<Row>(toQuery(text, values))).rows,
    release() {
      if (!released) {
        released = true;
        client.release(true);
      }
    },
  };
}

/** Writes everything that `send` sends to the socket at once, so that neither side is woken for each statement. */
function inOneWrite<T>(client: PoolClient, send: () => T): T {
  const { stream } = client.connection;
  stream.cork();
  try {
    return send();
  } finally {
    stream.uncork();
  }
}

/** Sends the statements before awaiting either. */
function begin(client: PoolClient, opening: Statement | null): Promise<QueryResult>[] {
  const begun = client.query('begin');
  return opening === null ? [begun] : [begun, client.query(toQuery(opening.text, opening.values))];
}

async function withClient<T>(pool: Pool, work: (client: PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  try {
    return await work(client);
  } finally {
    client.release();
  }
}

/** Waits for all, so that the connection is idle again. Throws the first failure, since the others only follow from it. */
async function firstFailureOf(answers: readonly Promise<unknown>[]): Promise<void> {
  const failed = (await Promise.allSettled(answers)).find(({ status }) => status === 'rejected');
  if (failed?.status === 'rejected') {
    throw failed.reason;
  }
}

/** Postgres answers the commit of a failed transaction with a rollback and reports success. */
function requireCommitted({ command }: QueryResult): void {
  if (command !== 'COMMIT') {
    throw new Error('the transaction was rolled back');
  }
}

interface Query {
  /** Undefined if the statement is not to be prepared. */
  readonly name?: string;
  readonly text: string;
  readonly types?: CustomTypesConfig;
}

/** The texts are constants in the code, so the map is as large as the number of statements. */
const known = new Map<string, Query>();

/** Names a constant statement, so that a connection parses and plans it only once. */
function toQuery(text: string | CompiledText, values: readonly unknown[]): Query & { values: unknown[] } {
  if (text instanceof CompiledText) {
    return { ...queryOf(text), values: [...values] };
  }
  let statement = known.get(text);
  if (statement === undefined) {
    let number = 0;
    const numbered = text.replaceAll('?', () => `$${(number += 1)}`);
    statement = { name: nameOf(text), text: numbered };
    known.set(text, statement);
  }
  return { ...statement, values: [...values] };
}
