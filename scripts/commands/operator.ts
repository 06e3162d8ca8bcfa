import '../shared/lifeline.ts';
import { parseArgs } from 'node:util';
import { openDatabase, type Database, type EntityManager } from '../../database/connection.ts';
import { recordAudit, type Actor } from '../../core/operators/store/audit.ts';
import { lockSuperAdmins } from '../../core/operators/store/last-super-admin.ts';
import {
  insertOperator,
  listOperators,
  setOperatorStatus,
  setPassword,
  type OperatorRecord,
} from '../../core/operators/store/operators.ts';
import { hashPassword } from '../../core/operators/passwords.ts';
import { readRoleByName, replaceGrants, resolveGrants } from '../../core/operators/store/roles.ts';
import { removeTotp } from '../../core/operators/store/second-factor.ts';
import { endSessions } from '../../core/operators/store/sessions.ts';
import { makeLink } from '../../core/operators/store/links.ts';
import { operatorLinkPath } from '../../domain/operator-link.ts';
import { DomainError } from '../../domain/errors.ts';
import { passwordProblem } from '../../runtime/password-rules.ts';
import { findRunningStack } from '../development/dev-file.ts';
import { errorCode } from '../shared/error-code.ts';
import { OPTIONS, readCommand, UsageError, USAGE, type OperatorCommand } from './operator-command.ts';
import { readNewPassword } from './read-password.ts';

/** The audit log's actor. There is no login, because anyone who can run this command already has access to the database. */
const ACTOR: Actor = { type: 'SYSTEM', id: null, name: 'npm run operator' };
const LIST_MAX = 1_000;

process.exitCode = await main();

/** Implements `npm run operator`, which creates the first operator and restores access for operators who lost their password or phone. */
async function main(): Promise<number> {
  try {
    const { values, positionals } = parseArgs({ options: OPTIONS, allowPositionals: true });
    if (values.help) {
      console.log(USAGE);
      return 0;
    }
    const command = readCommand({ values, positionals });
    const rows = await carryOut(command, await findTarget(values.directory));
    console.log(values.json ? JSON.stringify(rows) : rows.map(inWords).join('\n'));
    return 0;
  } catch (error) {
    console.error(wordsOf(error));
    if (error instanceof UsageError || String(errorCode(error)).startsWith('ERR_PARSE_ARGS')) {
      console.error(`\n${USAGE}`);
      return 2;
    }
    return 1;
  }
}

function wordsOf(error: unknown): string {
  if (error instanceof DomainError && error.fields !== undefined) {
    return Object.entries(error.fields)
      .map(([field, problem]) => `${field} ${problem}`)
      .join('\n');
  }
  return error instanceof Error ? error.message : String(error);
}

type Shown = Readonly<Record<string, string | number | boolean | null>>;

async function carryOut(command: OperatorCommand, { databaseUrl, webUrl }: Target): Promise<Shown[]> {
  if (command.action === 'link' && webUrl === null) {
    throw new Error('The URL of the pages is unknown. Set LENDEN_WEB_URL.');
  }
  const database = await openDatabase({ url: databaseUrl, poolSize: 2 });
  try {
    if (command.action === 'list') {
      const all = { filter: {}, sortBy: 'email', order: 'ASC', limit: LIST_MAX, offset: 0 } as const;
      const { rows } = await database.withOperator('every-app', (em) => listOperators(em, all));
      return rows.map(shown);
    }
    const link = await change(database, command);
    return [
      {
        ...shown(await findOperator(database, command.email)),
        ...(link === null ? {} : { link: new URL(link, webUrl ?? undefined).href }),
      },
    ];
  } finally {
    await database.close();
  }
}

/** Returns the path of the link if the command created one. */
async function change(
  database: Database,
  command: Exclude<OperatorCommand, { action: 'list' }>,
): Promise<string | null> {
  if (command.action === 'create') {
    const passwordHash = await hashPassword(await newPassword({ email: command.email, name: command.name }));
    await database.withOperator('every-app', (em) => create(em, { ...command, passwordHash }));
    return null;
  }
  const operator = await findOperator(database, command.email);
  switch (command.action) {
    case 'disable':
    case 'enable': {
      const status = command.action === 'enable' ? 'ACTIVE' : 'DISABLED';
      await database.withOperator('every-app', async (em) => {
        if (await setOperatorStatus(em, { operatorId: operator.id, status })) {
          await note(em, operator.id, { action: `operator.${command.action}d`, after: { status } });
        }
      });
      return null;
    }
    case 'reset-password': {
      const passwordHash = await hashPassword(await newPassword(operator));
      await database.withOperator('every-app', async (em) => {
        await setPassword(em, { operatorId: operator.id, passwordHash, temporary: command.temporary });
        await endSessions(em, { operatorId: operator.id, reason: 'password-changed' });
        await note(em, operator.id, { action: 'password.reset', after: { temporary: command.temporary } });
      });
      return null;
    }
    case 'reset-second-factor':
      await database.withOperator('every-app', async (em) => {
        if (await removeTotp(em, operator.id)) {
          await endSessions(em, { operatorId: operator.id, reason: 'second-factor-changed' });
          await note(em, operator.id, { action: 'second-factor.removed' });
        }
      });
      return null;
    case 'link':
      return operatorLinkPath(
        await database.withOperator('every-app', async (em) => {
          await note(em, operator.id, { action: 'operator.link-shown' });
          return makeLink(em, operator.id);
        }),
      );
  }
}

async function create(
  em: EntityManager,
  command: Extract<OperatorCommand, { action: 'create' }> & { readonly passwordHash: string },
): Promise<void> {
  const { email, name, role, applicationId, temporary, passwordHash } = command;
  await lockSuperAdmins(em);
  const grants = [{ roleId: (await readRoleByName(em, role)).id, applicationId }];
  await resolveGrants(em, grants);
  const operatorId = await insertOperator(em, { email, name, passwordHash, passwordTemporary: temporary });
  await replaceGrants(em, { operatorId, grants });
  await note(em, operatorId, { action: 'operator.created', after: { email, name, role, applicationId } });
}

async function note(
  em: EntityManager,
  operatorId: bigint,
  { action, after }: { action: string; after?: Readonly<Record<string, string | boolean | bigint | null>> },
): Promise<void> {
  const target = { type: 'operator', id: operatorId };
  await recordAudit(em, { actor: ACTOR, action, target, ...(after === undefined ? {} : { after }) });
}

async function findOperator(database: Database, email: string): Promise<OperatorRecord> {
  const one = { filter: { email }, sortBy: 'email', order: 'ASC', limit: 1, offset: 0 } as const;
  const { rows } = await database.withOperator('every-app', (em) => listOperators(em, one));
  const [operator] = rows;
  if (operator === undefined) {
    throw new Error(`No operator has the email address ${email}.`);
  }
  return operator;
}

async function newPassword(person: { readonly email: string; readonly name: string }): Promise<string> {
  const password = await readNewPassword(process.stdin, process.stderr);
  const problem = await passwordProblem(password, person);
  if (problem !== null) {
    throw new Error(`The password ${problem}.`);
  }
  return password;
}

interface Target {
  readonly databaseUrl: string;
  /** Origin of the pages; null if it is not known. */
  readonly webUrl: string | null;
}

/** Returns the database named in the environment, as in a deployment, else that of the running stack. */
async function findTarget(directory: string): Promise<Target> {
  const given = process.env['DATABASE_URL'];
  const stack = given ? undefined : await findRunningStack(directory);
  const databaseUrl = given || stack?.databaseUrl;
  if (databaseUrl === undefined) {
    throw new Error('No database: run npm start first, or set DATABASE_URL.');
  }
  return { databaseUrl, webUrl: process.env['LENDEN_WEB_URL'] || (stack?.web ?? null) };
}

function shown(operator: OperatorRecord): Shown {
  const { id, email, name, status, secondFactor, passwordTemporary, roles, lastLoginAt } = operator;
  return {
    id: Number(id),
    email,
    name,
    status,
    roles: roles
      .map((role) => (role.applicationId === null ? role.name : `${role.name} (app ${role.applicationId})`))
      .join(', '),
    secondFactor,
    passwordTemporary,
    lastLoginAt: lastLoginAt?.toISOString() ?? null,
  };
}

function inWords(row: Shown): string {
  const { id, email, name, status, roles, secondFactor, lastLoginAt, link } = row;
  const factor = secondFactor === true ? 'second factor' : 'no second factor';
  const shownOnce =
    typeof link === 'string' ? `\n${link}\nThe link works once, within 24 hours. Give it only to ${name}.` : '';
  return `${id}  ${email}  ${name}  ${status}  ${roles === '' ? 'no role' : roles}  ${factor}  last login ${lastLoginAt ?? 'never'}${shownOnce}`;
}
