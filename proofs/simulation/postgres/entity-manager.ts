import { UniqueConstraintViolationException } from '@mikro-orm/core';
import { sqlStateOf, type Database, type EntityManager } from '../../../database/connection.ts';
import { ENTITIES } from '../../../database/tables.ts';
import { CompiledText } from '../../../database/compiled-text.ts';
import type { Statements } from '../../../database/statements.ts';
import type { PostgresServer, Transaction } from './server.ts';
import { ConstraintViolation } from './table.ts';
import type { Value, Values } from './values.ts';

type EntityClass = (typeof ENTITIES)[number];
type Fields = Record<string, unknown>;
type Text = string | CompiledText;

const TRIES_MAX = 5;
const snaked = new Map<string, string>();
const TABLE_OF: ReadonlyMap<unknown, string> = new Map(ENTITIES.map((entity) => [entity, tableOf(entity.name)]));

function tableOf(entityName: string): string {
  const name = snake(entityName.charAt(0).toLowerCase() + entityName.slice(1));
  return `${name}s`;
}

function snake(name: string): string {
  const known = snaked.get(name) ?? name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  snaked.set(name, known);
  return known;
}

const cameled = new Map<string, string>();
function camel(name: string): string {
  const known = cameled.get(name) ?? name.replace(/_([a-z])/g, (_match, letter: string) => letter.toUpperCase());
  cameled.set(name, known);
  return known;
}

/** Returns the product's database interface on the simulated server: one transaction per call, repeated after a deadlock. */
export function simulatedDatabase(server: PostgresServer): Database {
  const transactional = <T>(work: (transaction: Transaction) => Promise<T>): Promise<T> => inTransaction(server, work);
  const managed = <T>(work: (em: EntityManager) => Promise<T>): Promise<T> =>
    transactional(async (transaction) => {
      const manager = new SimulatedEntityManager(transaction, server);
      const result = await work(manager as unknown as EntityManager);
      await manager.flush();
      return result;
    });
  const statementsOf = (transaction: Transaction): Statements => ({
    execute: async <Rows extends object[]>(text: Text, values: readonly unknown[] = []): Promise<Rows> =>
      answered(text, await transaction.execute(sqlOf(text), values as readonly Value[])) as Rows,
  });
  return {
    withScope: (_scope, work, { oneTrip } = { oneTrip: false }) =>
      transactional((transaction) =>
        oneTrip ? sentTogether(statementsOf(transaction), work) : work(statementsOf(transaction)),
      ),
    withCredential: (work) => transactional((transaction) => sentTogether(statementsOf(transaction), work)),
    withSystem: managed,
    withOperator: (_view, work) => managed(work),
    lookup: <T extends object>(text: Text, values: readonly unknown[]) =>
      transactional((transaction) => statementsOf(transaction).execute<T[]>(text, values)),
    ping: () => Promise.resolve(),
    close: () => Promise.resolve(),
  };
}

async function inTransaction<T>(server: PostgresServer, work: (transaction: Transaction) => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    const transaction = server.begin();
    try {
      const result = await work(transaction);
      await transaction.commit();
      return result;
    } catch (error) {
      transaction.rollback();
      if (sqlStateOf(error) !== '40P01' || tries === TRIES_MAX) {
        throw error;
      }
      await server.timeline.pause(5 * 2 ** tries);
    }
  }
}

/** Sends all statements before the first answer arrives. A later statement finds the transaction closed. */
async function sentTogether<T>(statements: Statements, work: (statements: Statements) => Promise<T>): Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  let open = true;
  const working = work({
    execute: <Rows extends object[]>(text: Text, values?: readonly unknown[]): Promise<Rows> => {
      if (!open) {
        throw new Error('a unit of one trip waited between its statements');
      }
      const answer = last.then(() => statements.execute<Rows>(text, values));
      answer.catch(() => undefined);
      last = answer;
      return answer;
    },
  });
  working.catch(() => undefined);
  open = false;
  await last;
  return working;
}

function sqlOf(text: Text): string {
  return text instanceof CompiledText ? text.sql : text;
}

/** A typed statement returns bigints and Dates; for any other text the driver returns 64-bit integers and instants as text. */
function answered(text: Text, rows: Values[]): object[] {
  return text instanceof CompiledText ? rows : rows.map(asDriverAnswers);
}

function asDriverAnswers(row: Values): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => [
      name,
      typeof value === 'bigint' ? value.toString() : value instanceof Date ? value.toISOString() : value,
    ]),
  );
}

/** The part of MikroORM's entity manager that the product uses: reads, guarded updates, inserts, and writing changed entities at the end. */
class SimulatedEntityManager {
  private readonly transaction: Transaction;
  private readonly server: PostgresServer;
  private readonly managed = new Map<string, { entity: Fields; table: string; stored: Fields }>();
  private readonly created: { entity: Fields; table: string }[] = [];

  constructor(transaction: Transaction, server: PostgresServer) {
    this.transaction = transaction;
    this.server = server;
  }

  async execute(text: Text, parameters: readonly unknown[] = []): Promise<object[]> {
    return answered(text, await this.run(sqlOf(text), parameters));
  }

  async find(
    entity: EntityClass,
    where: Fields,
    { orderBy, limit }: { orderBy?: Record<string, string>; limit?: number } = {},
  ): Promise<Fields[]> {
    const { text, values } = condition(where);
    const order = Object.entries(orderBy ?? {}).map(([name, direction]) => `${snake(name)} ${direction}`);
    const table = tableFor(entity);
    const rows = await this.run(
      `select * from ${table}${text}${order.length === 0 ? '' : ` order by ${order.join(', ')}`}${
        limit === undefined ? '' : ` limit ${limit}`
      }`,
      values,
    );
    return rows.map((row) => this.manage(entity, table, row));
  }

  async findOne(entity: EntityClass, where: Fields): Promise<Fields | null> {
    return (await this.find(entity, where, { limit: 1 }))[0] ?? null;
  }

  async findOneOrFail(entity: EntityClass, where: Fields): Promise<Fields> {
    const found = await this.findOne(entity, where);
    if (found === null) {
      throw new Error(`${entity.name} not found`);
    }
    return found;
  }

  async count(entity: EntityClass, where: Fields): Promise<number> {
    const { text, values } = condition(where);
    const [row] = await this.run(`select count(*) as found from ${tableFor(entity)}${text}`, values);
    return Number(row?.['found']);
  }

  async nativeUpdate(entity: EntityClass, where: Fields, data: Fields): Promise<number> {
    const fields = Object.entries(data).filter(([, value]) => value !== undefined);
    if (fields.length === 0) {
      return 0;
    }
    const { text, values } = condition(where);
    const set = fields.map(([name]) => `${snake(name)} = ?`).join(', ');
    const changed = await this.run(`update ${tableFor(entity)} set ${set}${text} returning 1`, [
      ...fields.map(([, value]) => value),
      ...values,
    ]);
    return changed.length;
  }

  async insert(entity: EntityClass, data: Fields): Promise<unknown> {
    const table = tableFor(entity);
    const [key = 'id'] = this.server.tables.get(table)?.primaryKey ?? [];
    const row = await this.insertRow(table, data);
    return row[key];
  }

  create(entity: EntityClass, data: Fields): Fields {
    const created = Object.assign(Object.create(entity.prototype as object) as Fields, data);
    this.created.push({ entity: created, table: tableFor(entity) });
    return created;
  }

  map(entity: EntityClass, row: Values): Fields {
    const columns = this.server.tables.get(tableFor(entity))?.columns;
    const typed = Object.entries(row).map(([name, value]) => [
      camel(name),
      columns?.get(name)?.type === 'bigint' && typeof value === 'string' ? BigInt(value) : value,
    ]);
    return Object.assign(Object.create(entity.prototype as object) as Fields, Object.fromEntries(typed));
  }

  /** Writes created entities, then changes to entities that were read. */
  async flush(): Promise<void> {
    for (const { entity, table } of this.created.splice(0)) {
      const row = await this.insertRow(table, { ...entity });
      Object.assign(entity, fieldsOf(row));
    }
    for (const { entity, table, stored } of this.managed.values()) {
      const changes = Object.keys(stored).filter((name) => !same(entity[name], stored[name]));
      if (changes.length > 0) {
        const set = changes.map((name) => `${snake(name)} = ?`).join(', ');
        await this.run(`update ${table} set ${set} where id = ? returning 1`, [
          ...changes.map((name) => entity[name]),
          stored['id'],
        ]);
      }
    }
  }

  private async insertRow(table: string, data: Fields): Promise<Values> {
    const fields = Object.entries(data).filter(([, value]) => value !== undefined);
    const names = fields.map(([name]) => snake(name)).join(', ');
    const [row] = await this.run(
      `insert into ${table} (${names}) values (${fields.map(() => '?').join(', ')}) returning *`,
      fields.map(([, value]) => value),
    );
    return row ?? {};
  }

  private manage(entity: EntityClass, table: string, row: Values): Fields {
    const key = `${table} ${String(row['id'] ?? JSON.stringify(Object.values(row).map(String)))}`;
    const known = this.managed.get(key);
    if (known !== undefined) {
      return known.entity;
    }
    const stored = fieldsOf(row);
    const managed = Object.assign(Object.create(entity.prototype as object) as Fields, stored);
    this.managed.set(key, { entity: managed, table, stored: { ...stored } });
    return managed;
  }

  private async run(sql: string, parameters: readonly unknown[]): Promise<Values[]> {
    try {
      return await this.transaction.execute(sql, parameters as readonly Value[]);
    } catch (error) {
      throw error instanceof ConstraintViolation && error.code === '23505'
        ? new UniqueConstraintViolationException(error)
        : error;
    }
  }
}

function tableFor(entity: EntityClass): string {
  const table = TABLE_OF.get(entity);
  if (table === undefined) {
    throw new Error(`no table for ${entity.name}`);
  }
  return table;
}

function fieldsOf(row: Values): Fields {
  return Object.fromEntries(Object.entries(row).map(([name, value]) => [camel(name), value]));
}

function condition(where: Fields): { text: string; values: unknown[] } {
  const values: unknown[] = [];
  const parts = Object.entries(where)
    .filter(([, wanted]) => wanted !== undefined)
    .map(([name, wanted]) => {
      if (wanted === null) {
        return `${snake(name)} is null`;
      }
      if (typeof wanted === 'object' && '$in' in wanted) {
        const members = wanted.$in as readonly unknown[];
        values.push(...members);
        return `${snake(name)} in (${members.map(() => '?').join(', ')})`;
      }
      if (typeof wanted === 'object' && Object.keys(wanted).some((key) => key.startsWith('$'))) {
        throw new Error(`the simulation does not read the condition ${Object.keys(wanted).join()}`);
      }
      values.push(wanted);
      return `${snake(name)} = ?`;
    });
  return { text: parts.length === 0 ? '' : ` where ${parts.join(' and ')}`, values };
}

function same(a: unknown, b: unknown): boolean {
  return a instanceof Date && b instanceof Date ? a.getTime() === b.getTime() : a === b;
}
