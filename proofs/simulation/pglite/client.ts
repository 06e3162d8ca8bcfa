import pg from 'pg';
import type { RuntimeRole } from '../../../runtime/database-roles.ts';
import { whose } from '../timeline.ts';
import type { OneSession, Query } from './one-session.ts';

/** A date stays text, since a Date would depend on the process's time zone. MikroORM reads instants itself. */
const AS_TEXT: ReadonlySet<number> = new Set([1082, 1114, 1184, 1186]);
const AS_TEXTS: ReadonlySet<number> = new Set([1182, 1115, 1185, 1187]);

/** Values as MikroORM's own connections give them. */
const TYPES: pg.CustomTypesConfig = {
  getTypeParser: (type: number) =>
    AS_TEXT.has(type)
      ? (text: string) => text
      : AS_TEXTS.has(type)
        ? (text: string) => pg.types.arrayParser(text, (item) => item)
        : pg.types.getTypeParser(type, 'text'),
};

const NOTHING = { command: 'ROLLBACK', rowCount: 0, rows: [], fields: [], oid: 0 } satisfies pg.QueryResult;

/** Fails as a full disk does, and leaves the transaction failed. */
const REFUSED: Query = {
  text: `do $$ begin raise exception using errcode = 'disk_full', message = 'no space left on device'; end $$`,
};

function lost(code: string, message: string): Error {
  return Object.assign(new Error(message), { code });
}

/** A connection as node-postgres has it, from begin to commit of one transaction after the other. */
export class SimulatedClient {
  /** Statements are sent one by one, so there is nothing to hold back. */
  readonly connection = { stream: { cork: (): void => undefined, uncork: (): void => undefined } };
  private readonly server: OneSession<SimulatedClient>;
  private readonly role: RuntimeRole | null;
  private last: Promise<unknown> = Promise.resolve();
  private isLost = false;
  private isOpen = false;

  constructor(server: OneSession<SimulatedClient>, role: RuntimeRole | null) {
    this.server = server;
    this.role = role;
  }

  query(query: Query | string, values: readonly unknown[] = []): Promise<pg.QueryResult> {
    const asked = { types: TYPES, ...(typeof query === 'string' ? { text: query, values } : { values, ...query }) };
    const answer = this.last.then(() => this.answer(asked));
    this.last = answer.catch(() => undefined);
    return answer;
  }

  release(): void {
    this.last = this.last.then(() => this.rollback());
  }

  private async answer(query: Query): Promise<pg.QueryResult> {
    const { server } = this;
    await server.pause(server.faults.latencyMs());
    if (!this.isLost && server.faults.lostBefore()) {
      this.isLost = true;
      await this.rollback();
    }
    if (this.isLost) {
      throw lost('ECONNRESET', 'the connection was lost');
    }
    switch (query.text) {
      case 'begin':
        await server.take(this);
        this.isOpen = true;
        await this.begin();
        return NOTHING;
      case 'commit':
        return this.commit();
      case 'rollback':
        await this.rollback();
        return NOTHING;
      default:
        return this.isOpen ? this.within(query) : this.alone(query);
    }
  }

  private async within(query: Query): Promise<pg.QueryResult> {
    const { server } = this;
    this.requireTurn();
    server.heard(this);
    return server.send(server.faults.refused() ? REFUSED : query);
  }

  private async alone(query: Query): Promise<pg.QueryResult> {
    const { server } = this;
    await server.take(this);
    try {
      await this.begin();
      return await server.send(query);
    } finally {
      await server.send({ text: 'commit' });
      server.give(this);
    }
  }

  /** A session of the product has its role from the login on. */
  private async begin(): Promise<void> {
    await this.server.send({ text: this.role === null ? 'begin' : `begin; set local role ${this.role}` });
  }

  private async commit(): Promise<pg.QueryResult> {
    const { server } = this;
    const life = whose.getStore();
    this.requireTurn();
    const result = await server.send({ text: 'commit' });
    this.isOpen = false;
    server.give(this);
    if (life?.alive === false) {
      // It died at its commit and never hears of it.
      await new Promise<never>(() => undefined);
    }
    if (server.faults.commitAnswerLost()) {
      this.isLost = true;
      throw lost('ECONNRESET', 'the connection was lost while it committed');
    }
    return result;
  }

  /** The server has ended the transaction of a client that stood still for too long. */
  private requireTurn(): void {
    if (!this.server.holds(this)) {
      throw lost('25P03', 'the transaction was ended by the server');
    }
  }

  private async rollback(): Promise<void> {
    this.isOpen = false;
    if (this.server.holds(this)) {
      await this.server.send({ text: 'rollback' });
      this.server.give(this);
    }
  }
}
